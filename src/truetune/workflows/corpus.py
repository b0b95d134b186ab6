"""The first stage of pretraining: the corpus in parts, checked and saved once, the same for every later stage."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from truetune.audit.run import audit
from truetune.bundle.run_folder import PARTS, RunFolder
from truetune.config import Config
from truetune.data.dataset import Dataset
from truetune.data.split import write_split
from truetune.files import write_json
from truetune.pretraining.corpus import audit_part, corpus_of, facts_of, outweighing
from truetune.pretraining.overlap import inside_training
from truetune.workflows.parts import given_files, write_findings
from truetune.workflows.progress import Progress


def prepared_corpus(settings: Config, run: RunFolder, progress: Progress) -> Mapping[str, Dataset]:
    """Return the parts; made and saved unless the run has them."""
    if not run.facts.is_file():
        _prepare(settings, run, progress)
    return {name: Dataset.open(run.data(name)) for name in PARTS}


def _prepare(settings: Config, run: RunFolder, progress: Progress) -> None:
    whole = run.path / "data" / "whole"
    data = settings.data.model_copy(update={"source": None, **given_files(settings.data)})
    parts, made, removed = corpus_of(data, settings.pretrain, whole, progress)
    for name in PARTS:
        parts[name].write(run.data(name))
    shutil.rmtree(whole, ignore_errors=True)
    found = {name: Dataset.open(run.data(name)) for name in PARTS}
    findings = audit({name: audit_part(name, part) for name, part in found.items()})
    findings = [*inside_training(found), *outweighing(found), *findings]
    write_split(run.split, made, {name: part.stored_ids for name, part in found.items()})
    write_findings(run, findings)
    splits = {name: facts_of(part) for name, part in found.items()}
    write_json(run.facts, {"splits": splits, "made": made, "removed": removed})
    sizes = ", ".join(f"{name} {len(found[name]):,}" for name in PARTS)
    progress.say(f"documents: {sizes}" + "".join(f"; {what}: {number:,}" for what, number in removed.items() if number))
    for finding in findings:
        if finding.severity != "note":
            progress.say(f"audit: {finding.severity}: {finding.check} ({finding.count:,}): {finding.advice}")
