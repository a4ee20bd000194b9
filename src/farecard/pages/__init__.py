"""What people see: pages over the API's own parts, for card holders, machines, counters and operations."""
