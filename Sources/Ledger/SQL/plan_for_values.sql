-- For the rest of the transaction: a plan for every shard would lock all partitions.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)
