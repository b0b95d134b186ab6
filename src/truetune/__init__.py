"""truetune: fine-tune language models, steered by evaluation metrics that can be trusted."""
