"""What each command does, a module a command with one function ``run``: it asks one library function, then prints or writes."""
