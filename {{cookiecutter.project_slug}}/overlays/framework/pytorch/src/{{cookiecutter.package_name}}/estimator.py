"""The seam: a network of PyTorch for tables. Replace this one file to bring another model.

What the rest of the project asks of it: `Hyperparameters`, `CATEGORIES`, `fit`, `scores`, `save`,
`load`, `flavor` and `platform`; it hands over the matrix of `features.py` and never looks inside.

How to change this: whatever `save` writes must be the same bytes for the same fit, hold no pickle,
and load again where only the model directory and `requirements.lock` are there. `tests/
test_estimator.py` is the contract; run it after every change.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, Field
from safetensors import safe_open
from safetensors import torch as stored
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from mlrails.data.arrays import Matrix, Vector
    from mlrails.modeling.dataset import Labelled
    from mlrails.modeling.epochs import Indices, Watch

CATEGORIES = "embeddings, learnt with the network"
"""How the estimator sees a category; the report says so."""
_WEIGHTS, _PROGRAM = "network.safetensors", "model.pt2"
_ROWS_AT_ONCE = 65_536
_FAR = 5.0
"""Standard deviations from the mean beyond which a number says no more."""


class Hyperparameters(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The section `estimator` of `params.yaml`."""

    learning_rate: float = Field(gt=0, le=1)
    epochs: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=10_000_000)
    layers: int = Field(ge=1, le=100)
    width: int = Field(ge=1, le=100_000)
    embedding: int = Field(ge=1, le=10_000)
    """The most numbers that stand for one category."""
    dropout: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    patience: int = Field(ge=1, le=100_000)
    """Stop after so many epochs without a better loss on the validation rows."""
    device: Literal["auto", "cpu", "gpu"]


class Network(nn.Module):
    """Embeddings of categories and standardised numbers, through layers of one width."""

    def __init__(
        self, task: str, sizes: Sequence[int], embedding: int, layers: int, width: int, **more: int
    ) -> None:
        super().__init__()
        shape = {"embedding": embedding, "layers": layers, "width": width, **more}
        self.about: dict[str, Any] = {"task": str(task), "sizes": list(sizes), **shape}
        self.classifies, self.classes = task != "regression", more.get("classes", 0)
        self.categories = {column: size for column, size in enumerate(sizes) if size}
        self.numbers = [column for column, size in enumerate(sizes) if not size]
        # A list would be sent to a GPU for each batch, which waits until it is done.
        self.columns: Tensor = nn.Buffer(torch.tensor(self.numbers).long(), persistent=False)
        # The first row of a table is what is unknown or missing.
        tables = [nn.Embedding(it + 1, min(embedding, it)) for it in self.categories.values()]
        self.embeddings = nn.ModuleList(tables)
        widths = [2 * len(self.numbers) + sum(it.embedding_dim for it in tables), *[width] * layers]
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.last = nn.Linear(widths[-1], self.classes or 1)
        self.center: Tensor = nn.Buffer(torch.zeros(len(self.numbers), dtype=torch.float64))
        self.spread: Tensor = nn.Buffer(torch.ones(len(self.numbers), dtype=torch.float64))
        self.middle: Tensor = nn.Buffer(torch.zeros(1, dtype=torch.float64))
        self.unit: Tensor = nn.Buffer(torch.ones(1, dtype=torch.float64))

    def standardise(self, train: Labelled) -> None:
        """Learn the means and spreads of the training rows, of the numbers and of the target."""
        from mlrails.modeling.dataset import units

        self.center, self.spread = map(torch.from_numpy, units(train.matrix[:, self.numbers]))
        if not self.classifies:
            self.middle, self.unit = map(torch.from_numpy, units(train.target[:, None]))

    def inner(self, matrix: Tensor, dropout: float = 0.0) -> Tensor:
        """Return (rows,) log-odds, or numbers in spreads of the target; (rows, classes) logits."""
        found = []
        for embedding, (column, size) in zip(self.embeddings, self.categories.items(), strict=True):
            code = matrix[:, column]
            known = (code >= 0) & (code < size)
            found.append(embedding(torch.where(known, code + 1, 0).long()))
        numbers = ((matrix[:, self.columns] - self.center) / self.spread).clamp(-_FAR, _FAR)
        found += [numbers.nan_to_num().float(), numbers.isnan().float()]
        values = torch.cat(found, dim=1)
        for layer in self.hidden:
            values = functional.dropout(functional.relu(layer(values)), dropout, dropout > 0)
        return torch.squeeze(self.last(values), 1).float()

    def forward(self, matrix: Tensor) -> Tensor:
        """Return the scores of the matrix (rows, features) of `features.py`, in its 64 bits."""
        inner = self.inner(matrix)
        if self.classes:
            return torch.softmax(inner.double(), 1)
        return torch.sigmoid(inner) if self.classifies else inner * self.unit + self.middle


class _Learner:
    """A network with its optimiser and its rows, on one device."""

    def __init__(
        self, network: Network, hyperparameters: Hyperparameters, rows: Mapping[str, Labelled]
    ) -> None:
        from mlrails.modeling import devices, epochs
        from mlrails.modeling.dataset import unknown

        middle, unit = float(network.middle), float(network.unit)
        self.device: torch.device = devices.of_torch(hyperparameters.device)
        self.gpu = self.device.type != "cpu"
        self.mixed = self.gpu and torch.cuda.is_bf16_supported(including_emulation=False)
        self.network, self.dropout = network.to(self.device), hyperparameters.dropout
        decay = hyperparameters.weight_decay
        self.optimiser = torch.optim.AdamW(network.parameters(), weight_decay=decay)
        self.rows = {
            part: [self._there(values) for values in it.in_units(middle, unit)]
            for part, it in rows.items()
        }
        codes = rows["train"].matrix
        shares = (unknown(codes[:, it], size) for it, size in network.categories.items())
        self.unknown = [self._there(it).float() for it in shares]
        self.tables = [it.detach() for it in network.embeddings.parameters()]
        # What stands for an unknown category goes on from what it learnt, not from what it scores.
        self.learnt = [it[0].clone() for it in self.tables]
        kept = epochs.OfTorch(network, self.optimiser, self.learnt)
        self.state, self.restore = kept.state, kept.restore

    def _there(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def begin(self, seed: int, learning_rate: float) -> None:
        torch.manual_seed(seed)
        self.optimiser.param_groups[0]["lr"] = learning_rate
        for table, row in zip(self.tables, self.learnt, strict=True):
            table[0] = row

    def learn(self, rows: Indices) -> Tensor:
        # From pinned memory a GPU takes them when it gets there, and nobody waits.
        places = torch.tensor(rows, pin_memory=self.gpu).to(self.device, non_blocking=True)
        matrix, *target = (it[places] for it in self.rows["train"])
        self.optimiser.zero_grad()
        loss = self._loss(self._inner(matrix, self.dropout), *target)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        for table, row, shares in zip(self.tables, self.learnt, self.unknown, strict=True):
            row.copy_(table[0])
            table[0] = shares @ table
        matrix, target, *weight = self.rows["validation"]
        inner = torch.cat([self._inner(it) for it in matrix.split(_ROWS_AT_ONCE)])
        loss = float(self._loss(inner, target, *weight))
        if not self.network.classifies:
            rmse = loss**0.5 * float(self.network.unit)
            return {"validation_loss": loss, "validation_rmse": rmse}
        if classes := self.network.classes:
            one = functional.one_hot(target.long(), classes)
            off = (inner.softmax(1) - one).square().sum(1)
        else:
            off = (inner.sigmoid() - target).square()
        return {"validation_loss": loss, "validation_brier": float(_mean(off, *weight))}

    def _inner(self, matrix: Tensor, dropout: float = 0.0) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, self.mixed):
            return self.network.inner(matrix, dropout)

    def _loss(self, inner: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        if self.network.classes:
            return _mean(functional.cross_entropy(inner, target.long(), reduction="none"), weight)
        if self.network.classifies:
            return functional.binary_cross_entropy_with_logits(inner, target, weight)
        if weight is None:
            return functional.mse_loss(inner, target)
        return _mean((inner - target).square(), weight)


def _mean(losses: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean of losses, each of which counts by its weight."""
    return (losses if weight is None else losses * weight).mean()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Add up in one order whatever the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def fit(
    task: str,
    hyperparameters: Hyperparameters,
    seed: int,
    sizes: Sequence[int],
    train: Labelled,
    validation: Labelled,
    watch: Watch,
) -> Network:
    """Fit on the training rows, stopping early on the validation rows.

    `sizes` says how many categories each column has, 0 for a number. On a CPU the same rows, seed
    and hyperparameters give the same network on any number of cores.
    """
    from mlrails.modeling.devices import repeatable_torch
    from mlrails.modeling.epochs import Schedule, in_epochs

    shape = hyperparameters.model_dump(include={"embedding", "layers", "width"})
    if task == "multiclass":
        shape["classes"] = int(train.target.max()) + 1
    torch.manual_seed(seed)
    with _one_thread(), repeatable_torch():
        network = Network(task, sizes, **shape)
        network.standardise(train)
        learner = _Learner(network, hyperparameters, {"train": train, "validation": validation})
        in_epochs(learner, Schedule.of(hyperparameters), len(train.target), seed, watch)
    return network.cpu().eval()


def scores(network: Network, matrix: Matrix) -> Vector:
    """Return (rows,) probabilities of the event, or numbers; of several classes (rows, classes)."""
    with torch.inference_mode(), _one_thread():
        found = [network(it) for it in torch.as_tensor(matrix.astype(float)).split(_ROWS_AT_ONCE)]
    return torch.cat(found).numpy().astype(np.float64)


def save(network: Network, folder: Path) -> None:
    """Write the weights for serving, and the program of MLflow's native flavor."""
    from mlrails.core import files

    about = {"about": json.dumps(network.about)}
    (folder / _WEIGHTS).write_bytes(stored.save(network.state_dict(), about))
    rows = torch.zeros(2, len(network.about["sizes"]), dtype=torch.float64)
    any_number = ({0: torch.export.Dim.DYNAMIC},)
    program = io.BytesIO()
    torch.export.save(torch.export.export(network, (rows,), dynamic_shapes=any_number), program)
    (folder / _PROGRAM).write_bytes(files.canonical_pt2(program.getvalue()))


def load(folder: Path) -> Network:
    """Read the weights that `save` wrote."""
    with safe_open(folder / _WEIGHTS, "pt") as file:
        about = json.loads(file.metadata()["about"])
    network = Network(**about)
    network.load_state_dict(stored.load_file(folder / _WEIGHTS))
    return network.eval()


def flavor(folder: str) -> dict[str, dict[str, Any]]:
    """Return MLflow's native flavor of what `save` wrote into a folder of the model directory."""
    return {"pytorch": {"model_data": folder, "pytorch_version": torch.__version__.split("+")[0]}}


def platform() -> str:
    """Return what a fit on this machine depends on beside the CPU's linear algebra."""
    from mlrails.modeling import devices

    return devices.platform_of_torch()
