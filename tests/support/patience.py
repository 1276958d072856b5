"""How long tests wait for what must come."""

from typing import Final

# Far above what a slow and busy machine needs: only a failure takes so long.
PATIENCE_SECONDS: Final = 300
