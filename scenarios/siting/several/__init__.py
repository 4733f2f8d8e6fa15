"""Several numbers of sites, years, situations and models at once."""
