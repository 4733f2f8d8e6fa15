"""Questions and answers for people: siting, comparison, files, the command line and the app."""
