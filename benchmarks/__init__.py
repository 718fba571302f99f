"""What statsig-tui costs, as ratios of runs that alternate on one machine: python -m benchmarks --help."""
