"""What emits the next Recipe while training goes on: the protocol, its clock and its history."""
