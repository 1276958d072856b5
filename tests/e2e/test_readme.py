"""The README's five minutes, as a newcomer lives them: every block, copied and pasted into one shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


def test_every_block_of_the_readme_runs(node_url: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 7
    # The environment is this test's, wherever the checkout keeps its own.
    script = "\n".join(blocks).replace(". .venv/bin/activate\n", "")
    environment = {
        **os.environ,
        "CHOIR_NODE": node_url,
        "TMPDIR": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_SECONDS,
    )
    assert result.returncode == 0, result.stderr
    assert "45" in result.stdout
    assert result.stdout.rstrip().endswith("A starter is ready when it floats in water.")
    assert "valid: transaction" in result.stdout
