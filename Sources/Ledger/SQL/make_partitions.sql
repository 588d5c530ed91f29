SELECT make_run_partitions($1)
