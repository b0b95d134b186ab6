"""`python -m truetune`."""

import sys

from truetune.cli.main import main

sys.exit(main())
