"""``python -m voicelstm`` is the command ``voicelstm``."""

from voicelstm.command import main

if __name__ == "__main__":
    main()
