"""`python -m statsig_tui` is `statsig-tui`."""

from statsig_tui.cli import main

if __name__ == "__main__":
    main()
