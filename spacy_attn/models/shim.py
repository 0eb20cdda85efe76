"""Thinc's interface to a torch module, with what its own shim leaves out."""

import contextlib
import copy
import multiprocessing
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import safetensors.torch
import srsly
import torch
from thinc.api import Optimizer, PyTorchGradScaler, PyTorchShim, torch2xp, xp2torch
from thinc.shims.shim import Shim
from thinc.types import FloatsXd
from thinc.util import convert_recursive, get_torch_default_device, iterate_recursive

from ..nn.runtime import (
    keep_forked_child_to_one_thread,
    with_gradients,
    without_subnormals,
)
from ..nn.stored import StoredModule, check_weights


class TorchShim(PyTorchShim):
    """A torch module in a Thinc layer.

    Beyond `thinc.api.PyTorchShim`:

    - The module does not exist before `set_module` (called by a layer's `init`) or `from_bytes`.
    - `use_params` knows the keys under which `Optimizer.averages` files torch parameters, so that
      `use_averages = true` takes effect.
    - A module replaced by another one (re-initialized, resized, loaded) gets fresh optimizer state.
    - Weights are stored with safetensors beside the sizes the module is rebuilt from; nothing is
      unpickled on loading.
    - Pickled or copied, it has weights of its own: no process shares them with another.
    - In a forked process, and in one that `nlp.pipe` starts, it keeps to one thread.

    Args:
        module_class: The class of the module, made from sizes that are numbers and strings.
        mixed_precision: Whether to run in mixed precision, on a GPU.
        grad_scaler_config: Arguments of `thinc.api.PyTorchGradScaler`, for mixed precision.
    """

    def __init__(
        self,
        module_class: type[StoredModule],
        *,
        mixed_precision: bool = False,
        grad_scaler_config: Mapping[str, Any] | None = None,
    ) -> None:
        settings = dict(grad_scaler_config or {})
        # Thinc's initial scale does not fit into half precision, where that is torch's default.
        scale = torch.tensor([settings.pop("init_scale", 2.0**16)], dtype=torch.float32)
        grad_scaler = PyTorchGradScaler(mixed_precision, init_scale=1.0, **settings)
        grad_scaler._scale = scale
        super().__init__(None, mixed_precision=mixed_precision, grad_scaler=grad_scaler)
        self._module_class = module_class
        self._generation = 0
        self._sent_here = False

    @property
    def module(self) -> torch.nn.Module:
        """The torch module.

        Raises:
            ValueError: If there is none yet.
        """
        if self._model is None:
            raise ValueError("The torch model has no weights yet: initialize or load it first.")
        return self._model

    @property
    def has_module(self) -> bool:
        """Whether there is a torch module."""
        return self._model is not None

    @with_gradients()
    def build_module(self, **sizes: Any) -> None:
        """Put a new module of the shim's class into place."""
        keep_forked_child_to_one_thread()
        self.set_module(self._module_class(**sizes))

    @with_gradients()
    def set_module(self, module: torch.nn.Module) -> None:
        """Put a module into place, on the device that is in use."""
        keep_forked_child_to_one_thread()
        device = get_torch_default_device()
        self._model = module.to(device)
        self._grad_scaler.to_(device)
        # Moments and averages of the old parameters have other values, perhaps other shapes.
        self._generation += 1

    @property
    def device(self) -> torch.device:
        """The device of the module, or else the one in use."""
        parameter = None if self._model is None else next(self._model.parameters(), None)
        return get_torch_default_device() if parameter is None else parameter.device

    def to_device(self, device_type: str, device_id: int) -> None:
        if self._model is not None:
            super().to_device(device_type, device_id)

    # Running

    @property
    def _scales(self) -> bool:
        """Whether to run in mixed precision: where that was asked for, and there is a GPU."""
        return self._mixed_precision and self.device.type == "cuda"

    @property
    def _autocast(self) -> contextlib.AbstractContextManager:
        return torch.autocast("cuda") if self._scales else contextlib.nullcontext()

    def predict(self, inputs: Any) -> Any:
        with self.predicting() as module:
            return module(*inputs.args, **inputs.kwargs)

    @contextlib.contextmanager
    def predicting(self) -> Iterator[Any]:
        """Give the module, ready to be run without gradients."""
        self._keep_child_to_one_thread()
        with torch.no_grad(), self._autocast:
            yield self.module

    def begin_update(self, inputs: Any) -> Any:
        """Run the module and keep what is needed to backpropagate.

        Returns:
            The module's outputs, and a callback that takes the gradients for
            `torch.autograd.backward` and returns the inputs with their gradients in place of them.
        """
        self._keep_child_to_one_thread()
        with self._autocast:
            outputs = self.module(*inputs.args, **inputs.kwargs)

        def backprop(grads: Any) -> Any:
            parameters = list(self.module.parameters())
            # Scaling concerns the gradients of this batch alone: those of earlier batches, which
            # `accumulate_gradient` leaves here until the step, have been unscaled already.
            accumulated = [parameter.grad for parameter in parameters]
            try:
                self._backpropagate(inputs, grads, parameters)
                for parameter, gradient in zip(parameters, accumulated, strict=True):
                    if gradient is not None:
                        own = parameter.grad
                        parameter.grad = gradient if own is None else gradient + own
            except BaseException:  # an interrupt, too
                for parameter, gradient in zip(parameters, accumulated, strict=True):
                    parameter.grad = gradient
                raise
            return convert_recursive(torch.is_tensor, lambda tensor: tensor.grad, inputs)

        return outputs, backprop

    def _backpropagate(
        self, inputs: Any, grads: Any, parameters: Sequence[torch.nn.Parameter]
    ) -> None:
        for parameter in parameters:
            parameter.grad = None
        if self._scales:
            grads.kwargs["grad_tensors"] = self._grad_scaler.scale(grads.kwargs["grad_tensors"])
        with without_subnormals():
            torch.autograd.backward(*grads.args, **grads.kwargs)
        leaves = [*parameters, *iterate_recursive(torch.is_tensor, inputs)]
        found = [leaf.grad for leaf in leaves if leaf.grad is not None]
        if self._scales and self._grad_scaler.unscale(found):
            for gradient in found:  # an overflow: this batch teaches nothing
                gradient.zero_()

    # Learning

    def _key(self, name: str) -> tuple[int, str]:
        """Under what the optimizer keeps its state of a parameter."""
        return (self.id, f"{name}@{self._generation}")

    @with_gradients()
    def finish_update(self, optimizer: Optimizer) -> None:
        for key, parameter in self.learned_parameters():
            weights, _ = optimizer(
                key,
                cast(FloatsXd, torch2xp(parameter.data)),
                cast(FloatsXd, torch2xp(cast(torch.Tensor, parameter.grad))),
            )
            parameter.data = xp2torch(weights, device=parameter.device)
        self.clear_gradients()

    @property
    def has_overflown(self) -> bool:
        """Whether a gradient of mixed precision was too large, so that the step is skipped."""
        return bool(self._grad_scaler.found_inf)

    @has_overflown.setter
    def has_overflown(self, value: bool) -> None:
        self._grad_scaler._found_inf = value

    def learned_parameters(self) -> Iterator[tuple[tuple[int, str], torch.nn.Parameter]]:
        """Yield the parameters that have a gradient, under their optimizer's keys."""
        for name, parameter in self.module.named_parameters():
            if parameter.grad is not None and not self.has_overflown:
                yield self._key(name), parameter

    def clear_gradients(self) -> None:
        """End an update: drop the gradients, and adapt the scale of mixed precision."""
        for parameter in self.module.parameters():
            parameter.grad = None
        self._grad_scaler.update()

    @contextlib.contextmanager
    def use_params(self, params: Mapping[Any, Any]) -> Iterator[None]:
        """Run with other parameters, keyed as in `Optimizer.averages`, and then with the own."""
        own = {}
        if self._model is not None:
            for name, parameter in self._model.named_parameters():
                replacement = params.get(self._key(name))
                if replacement is not None:
                    own[name] = parameter.data
                    with with_gradients():
                        parameter.data = xp2torch(replacement, device=parameter.device)
        try:
            yield
        finally:
            if own:
                for name, parameter in self.module.named_parameters():
                    parameter.data = own.get(name, parameter.data)

    # Storing

    def to_bytes(self) -> bytes:
        message: dict[str, Any] = {"sizes": None, "weights": b""}
        if self._model is not None:
            state = self._model.state_dict().items()
            weights = {name: value.contiguous().cpu() for name, value in state}
            message = {"sizes": self._model.sizes, "weights": safetensors.torch.save(weights)}
        return srsly.msgpack_dumps(message)

    @with_gradients()
    def from_bytes(self, bytes_data: bytes) -> "TorchShim":
        """Load what `to_bytes` has stored.

        Raises:
            ValueError: If the weights are not those of a module of the stored sizes.
        """
        message = srsly.msgpack_loads(bytes_data)
        if message["sizes"] is None:
            self._model = None
        else:
            keep_forked_child_to_one_thread()
            weights = safetensors.torch.load(message["weights"])
            check_weights(weights, self._module_class.weight_shapes(**message["sizes"]))
            module = self._module_class(**message["sizes"])
            module.load_state_dict(weights)
            self.set_module(module)
        return self

    def copy(self) -> "TorchShim":
        """Copy it, under an id of its own, so that optimizers keep the two apart."""
        copied = copy.deepcopy(self)
        with Shim.global_id_lock:
            Shim.global_id += 1
            copied.id = Shim.global_id
        return copied

    def __getstate__(self) -> dict[str, Any]:
        # A plain pickle, which holds the values of tensors. In that of a process pool they would
        # lie in shared memory, and training in one process would change the weights of the others.
        return {"pickled": pickle.dumps(self.__dict__), "in": os.getpid()}

    @with_gradients()
    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(pickle.loads(state["pickled"]))
        # Unpickled in another process than it was pickled in, and not merely copied in this one.
        self._sent_here = state["in"] != os.getpid()

    def _keep_child_to_one_thread(self) -> None:
        """In a worker process, have torch use one thread.

        In a forked one, several would hang. Workers that were sent a pipeline, as
        `nlp.pipe(n_process=N)` does, share the machine: each must not ask for all of its cores. A
        process that loads its own pipeline may.
        """
        keep_forked_child_to_one_thread()
        if self._sent_here and multiprocessing.parent_process() is not None:
            torch.set_num_threads(1)
        self._sent_here = False
