"""Who may do what: keys of senders, people with roles, sessions, and what two must agree on."""
