"""An example to try circle15 on: an illustrative Jinxian county, generated from a seed."""
