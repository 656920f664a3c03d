"""Where an estimator's picture in a notebook links to."""

__all__ = ["DocumentationLink"]


class DocumentationLink:
    """Link to this library's pages, as scikit-learn's estimators link to theirs."""

    _doc_link_module = "voicelstm"
    _doc_link_template = (
        "https://voicelstm.readthedocs.io/en/stable/generated/voicelstm.{estimator_name}.html"
    )
