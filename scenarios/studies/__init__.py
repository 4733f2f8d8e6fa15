"""Studies as the page asks and shows them: terms and words (light), answers, and the run of each."""
