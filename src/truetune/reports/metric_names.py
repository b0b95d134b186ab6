"""Metric names as people read them; the stable name stands beside, so a missing one loses nothing."""

from __future__ import annotations

AVERAGES = {
    "macro": ("macro average", "宏平均"),
    "micro": ("micro average", "微平均"),
    "weighted": ("weighted average", "加权平均"),
    "samples": ("average over examples", "按样本平均"),
}

NAMES = {
    "accuracy": ("Accuracy", "准确率"),
    "precision": ("Precision", "精确率"),
    "recall": ("Recall", "召回率"),
    "f1": ("F1", "F1"),
    "f1_macro_of_means": ("F1 of mean precision and recall", "平均精确率与召回率的 F1"),
    "mcc": ("Matthews correlation", "马修斯相关系数"),
    "kappa": ("Cohen's kappa", "Cohen κ 系数"),
    "roc_auc": ("Area under ROC curve", "ROC 曲线下面积"),
    "roc_auc_ovo": ("Area under ROC curve, pairs of labels", "ROC 曲线下面积（标签两两之间）"),
    "average_precision": ("Average precision", "平均精确率（AP）"),
    "log_loss": ("Log loss", "对数损失"),
    "brier": ("Brier score", "Brier 分数"),
    "ece": ("Calibration error (ECE)", "校准误差（ECE）"),
    "ece_equal_mass": ("Calibration error, equal-mass bins", "校准误差（等量分箱）"),
    "calibration_error_debiased": ("Calibration error, debiased", "校准误差（去偏）"),
    "hamming_loss": ("Hamming loss", "汉明损失"),
    "hierarchical_f1": ("F1 with the levels above", "层级 F1"),
    "accuracy_level1": ("Accuracy of the first level", "第一级准确率"),
    "accuracy_level2": ("Accuracy of the first two levels", "前两级准确率"),
    "span_f1": ("Span F1, strict", "实体 F1（严格）"),
    "span_precision": ("Span precision, strict", "实体精确率（严格）"),
    "span_recall": ("Span recall, strict", "实体召回率（严格）"),
    "span_f1_macro": ("Span F1, strict, macro average", "实体 F1（严格，宏平均）"),
    "span_f1_conll": ("Span F1, conlleval", "实体 F1（conlleval）"),
    "span_f1_partial": ("Span F1, partial boundaries", "实体 F1（部分边界）"),
    "span_f1_type": ("Span F1, type only", "实体 F1（仅类型）"),
    "token_accuracy": ("Token accuracy, with O", "词元准确率（含 O）"),
    "token_accuracy_without_o": ("Token accuracy, without O", "词元准确率（不含 O）"),
    "token_f1_without_o": ("Token F1, without O", "词元 F1（不含 O）"),
    "mae": ("Mean absolute error", "平均绝对误差"),
    "rmse": ("Root mean squared error", "均方根误差"),
    "kappa_quadratic": ("Kappa, quadratic weights", "二次加权 κ 系数"),
    "pearson": ("Pearson correlation", "皮尔逊相关系数"),
    "spearman": ("Spearman correlation", "斯皮尔曼相关系数"),
    "exact_match": ("Exact match", "完全匹配"),
    "qa_f1": ("Answer F1", "答案 F1"),
    "perplexity": ("Perplexity", "困惑度"),
    "pseudo_perplexity": ("Pseudo-perplexity", "伪困惑度"),
    "masked_accuracy": ("Accuracy on masked pieces", "遮盖词元准确率"),
    "detection_accuracy": ("Accuracy of detection", "检测准确率"),
    "bits_per_piece": ("Bits per piece", "每词元比特数"),
    "bits_per_byte": ("Bits per byte", "每字节比特数"),
    "bits_per_character": ("Bits per character", "每字符比特数"),
    "bleu": ("BLEU", "BLEU"),
    "chrf": ("chrF", "chrF"),
    "ter": ("TER", "TER"),
}

LOWER = frozenset(
    {"log_loss", "brier", "ece", "ece_equal_mass", "calibration_error_debiased", "hamming_loss", "mae", "mse", "rmse"}
    | {"mape", "perplexity", "pseudo_perplexity", "bits_per_byte", "bits_per_character", "bits_per_piece", "ter"}
)
"""Metrics of which less is better; the name says so."""
_LOWER = (" (lower is better)", "（越低越好）")


def metric_name(metric: str, language: str) -> str:
    """Return the name for a reader: `F1, macro average` for `f1_macro`; an unknown one as it is."""
    place = 1 if language == "zh" else 0
    base, _, label = metric.partition("/")
    stem, _, average = base.rpartition("_")
    if base in NAMES:
        name = NAMES[base][place]
    elif stem in NAMES and average in AVERAGES:
        parts = NAMES[stem][place], AVERAGES[average][place]
        name = f"{parts[0]}（{parts[1]}）" if place else f"{parts[0]}, {parts[1]}"
    else:
        return metric
    name += _LOWER[place] if base in LOWER else ""
    return f"{name}: {label}" if label else name
