SELECT make_label_logs()
