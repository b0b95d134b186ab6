"""truetune: fine-tune language models, steered by evaluation metrics that can be trusted."""

__version__ = "0.1.0"
