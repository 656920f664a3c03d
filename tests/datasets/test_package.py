import subprocess
import sys


def test_importing_the_loaders_loads_neither_a_network_nor_a_decoder():
    heavy = ("tensorflow", "keras", "librosa", "soundfile")
    script = f"import sys, voicelstm.datasets; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_importing_the_loaders_does_not_import_what_downloads():
    script = "import sys, voicelstm.datasets; print([n for n in ('pooch', 'requests') if n in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
