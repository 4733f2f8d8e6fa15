"""Questions beyond minutes: capacity, queues, floating catchments, referral, equity, bridges."""
