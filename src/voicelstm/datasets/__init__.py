"""Corpora: load, weigh, split and audit them; read and write score files."""

import lazy_loader

__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)

#: What users import; `__init__.pyi` also names what other packages take.
__all__ = [
    "AuditReport",
    "Duplicates",
    "OneVariable",
    "SharedValues",
    "UnseenSources",
    "UnseenSystems",
    "audit",
    "balanced_weights",
    "fetch_free_spoken_digits",
    "load_add2023",
    "load_asvspoof5",
    "load_asvspoof2019",
    "load_asvspoof2021",
    "load_codecfake",
    "load_csv",
    "load_decro",
    "load_deepfake_eval_2024",
    "load_dfadd",
    "load_fake_or_real",
    "load_fakeavceleb",
    "load_famous_figures",
    "load_folder",
    "load_in_the_wild",
    "load_librisevoc",
    "load_llama_partialspoof",
    "load_mlaad",
    "load_partialspoof",
    "load_spoofceleb",
    "load_wavefake",
    "make_voices",
    "read_scores",
    "write_scores",
]


def __dir__() -> list[str]:
    return __all__
