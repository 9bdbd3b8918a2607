"""Models of Keras: sequential, functional, and models inside models, layer by layer.

Source: keras-team/keras 3, keras/src/models/functional.py and sequential.py; the layout of Keras 2 is recognised by its
`inbound_nodes`.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.core.errors import SpecError
from archcalc.core.shapes import AXES, LARGEST_FLAT, Shape
from archcalc.core.suggest import did_you_mean
from archcalc.interop.assemble import Assembler, fault
from archcalc.interop.keras_calls import (
    DEEPEST,
    MODELS,
    Call,
    Key,
    built_for,
    keys_in,
    mentions_channels_first,
    numbered,
    output_names,
    shapes_in,
)
from archcalc.interop.keras_classes import CLASSES
from archcalc.interop.keras_layer import Arrays, KerasLayer, Output, Tensor, UnreadError
from archcalc.interop.keras_masks import NOTE, only_for_masks, passes, skips
from archcalc.interop.keras_operations import OPERATIONS, TENSORFLOW
from archcalc.interop.keras_shapes import in_order
from archcalc.interop.keras_unread import unread
from archcalc.spec.values import MOST_LAYERS


class Weights:
    """The arrays that came with a file; this one has none."""

    def of(self, path: Sequence[str], kind: str, config: Mapping[str, Any]) -> Arrays:
        """The arrays of a layer, whose path has the names of the models around it, by Keras's names."""
        return {}

    def count(self, path: Sequence[str]) -> int | None:
        """How many numbers a layer stores; None where that is not known."""
        return None

    def shape(self, path: Sequence[str]) -> Shape | None:
        """The shape of the output of a layer in Keras, without the batch; None where that is not known."""
        return None


class ModelReader:
    """Reads a model into a network."""

    def __init__(self, net: Assembler, file: str, weights: Weights) -> None:
        self.net, self.file, self.weights = net, file, weights
        self.last = True
        #: The nodes of each layer when it was first used.
        self.first: dict[str, list[str]] = {}
        #: The first document of each object that a file marks as used in several models, with its path.
        self.objects: dict[int, tuple[Mapping[str, Any], tuple[str, ...]]] = {}
        #: The paths of such objects, by the paths at which they are used again.
        self.origins: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.count = 0
        #: Whether an input has another size than in the file, so that the shapes in it do not hold.
        self.is_resized = False

    def wrong(self, message: str, layer: str = "") -> SpecError:
        return fault(message, self.file, layer)

    def read(self, document: Any) -> None:
        """The whole document: a model as `to_json` writes it."""
        kind, _ = self.parts(document)
        if kind not in MODELS:
            raise self.wrong(f"a model is Sequential or Functional, not {kind[:60]!r}; archcalc reads no code")
        self.last = not mentions_channels_first(document)
        outputs = self.model(document, None, ())
        self.refuse_wide(outputs)
        names = output_names(document, [output.node for output in outputs])
        for name, output in zip(names, outputs, strict=True):
            tensor = output
            if tensor.order:  # the values of a flat output lie as they do in Keras
                tensor = in_order(KerasLayer(self.net, "", tensor.node, {}, self.file, self.last), tensor)
            self.net.outputs[name] = tensor.node

    def parts(self, layer: Any) -> tuple[str, Mapping[str, Any]]:
        """The class and the settings of a layer or a model."""
        if not isinstance(layer, Mapping) or not isinstance(layer.get("class_name"), str):
            raise self.wrong("it is no model of Keras: a layer without class_name")
        config = layer.get("config")
        if isinstance(config, list):  # Sequential before Keras 2.2
            config = {"layers": config}
        if not isinstance(config, Mapping):
            raise self.wrong(f"{layer['class_name'][:60]} has no config")
        return layer["class_name"], config

    def model(self, document: Mapping[str, Any], given: list[Tensor] | None, scope: tuple[str, ...]) -> list[Tensor]:
        """A model on the maps that reach it; on inputs of its own where it is the outermost."""
        if len(scope) > DEEPEST:
            raise self.wrong(f"models lie inside one another more than {DEEPEST} deep")
        kind, config = self.parts(document)
        layers = config.get("layers")
        if not isinstance(layers, list) or not layers:
            raise self.wrong("a model without layers", "/".join(scope))
        self.count += len(layers)
        if self.count > MOST_LAYERS:
            raise self.wrong(f"more than {MOST_LAYERS:,} layers; no network has so many")
        if kind == "Sequential":
            return self.sequential(document, config, layers, given, scope)
        return self.functional(config, layers, given, scope)

    def sequential(
        self, document: Mapping[str, Any], config: Mapping[str, Any], layers: list[Any], given: list[Tensor] | None,
        scope: tuple[str, ...],
    ) -> list[Tensor]:  # fmt: skip
        """One layer after the other."""
        current = given
        for layer, after in zip(layers, [*layers[1:], None], strict=True):
            kind, settings = self.parts(layer)
            if kind == "InputLayer":
                if current is None:
                    current = [self.input(settings, settings.get("name"), scope)]
                continue
            if current is None and kind in MODELS:
                path = (*scope, str(settings.get("name", "model")))
                current = self.model(self.same(layer, path), None, path)
                continue
            if current is None:
                shape = settings.get("batch_input_shape") or config.get("build_input_shape")
                build = document.get("build_config")
                shape = shape or (build.get("input_shape") if isinstance(build, Mapping) else None)
                current = [self.input({**settings, "batch_shape": shape}, "input", scope)]
            made = self.use(layer, Call([], {}, {}), current, {}, scope, seen=built_for(after))
            current = [one for one in made if isinstance(one, Tensor)]
        return current or []

    def input(self, config: Mapping[str, Any], name: Any, scope: tuple[str, ...]) -> Tensor:
        """An input of the network."""
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        sizes = shape[1:] if isinstance(shape, list) and shape else None
        label = "/".join((*scope, name if isinstance(name, str) and name else "input"))
        given = self.net.given(label)
        if given is None:
            if sizes is None or not all(isinstance(size, int) and size > 0 for size in sizes):
                shown = "not in the file" if sizes is None else f"{tuple(sizes)!r:.60}"
                raise self.wrong(f"the size of the input {label[:60]!r} is {shown}; give it with --input")
            if not 1 <= len(sizes) <= len(AXES) or max(sizes) > LARGEST_FLAT:
                shown = "×".join(map(str, sizes))[:60]
                raise self.wrong(f"the input {label[:60]!r} is {shown}; archcalc reads one to four axes of usual sizes")
            given = (sizes[-1], *sizes[:-1]) if self.last else tuple(sizes)
        elif sizes is not None and given != ((*sizes[-1:], *sizes[:-1]) if self.last else tuple(sizes)):
            self.is_resized = True
        return Tensor(self.net.input(label, given), self.last)

    def functional(
        self, config: Mapping[str, Any], layers: list[Any], given: list[Tensor] | None, scope: tuple[str, ...]
    ) -> list[Tensor]:
        """Layers that name what they read; each is used as often as it has inbound nodes."""
        named: dict[str, Mapping[str, Any]] = {}
        for layer in layers:
            self.parts(layer)
            name = layer.get("name") or layer["config"].get("name")
            if not isinstance(name, str) or name in named:
                raise self.wrong(f"two layers are named {name!r:.60}, or one has no name", "/".join(scope))
            named[name] = layer
        inputs = list(keys_in(config.get("input_layers")))
        calls = {name: self.calls(layer, "/".join((*scope, name))) for name, layer in named.items()}
        outputs = numbered(named, calls, list(keys_in(config.get("output_layers"))))
        masks = [key[0] for uses in calls.values() for use in uses for key in keys_in(use.other.get("mask"))]
        for name in only_for_masks(calls, masks, [key[0] for key in outputs]):
            del calls[name]
        done: dict[Key, Output] = {}
        for index, (name, _, _) in enumerate(inputs):
            if name not in named:
                raise self.wrong(f"the input {name[:60]!r} is no layer", "/".join(scope))
            if given is None:
                _, settings = self.parts(named[name])
                done[name, 0, 0] = self.input(settings, name, scope)
            elif index < len(given):
                done[name, 0, 0] = given[index]
            calls[name] = []
        self.run(named, calls, done, scope)
        missing = [key for key in outputs if key not in done]
        if missing or not outputs:
            if missing and missing[0][0] in named:
                which = f"output {missing[0][2]} of use {missing[0][1] + 1} of {missing[0][0][:60]!r}"
                raise self.wrong(f"an output of the model is {which}, which archcalc does not have", "/".join(scope))
            shown = missing[0][0][:60] if missing else "none"
            raise self.wrong(f"an output of the model is {shown!r}, which is not there", "/".join(scope))
        return [self.found(done, key, "/".join(scope)) for key in outputs]

    def run(
        self, named: Mapping[str, Mapping[str, Any]], calls: Mapping[str, list[Call]], done: dict[Key, Output],
        scope: tuple[str, ...],
    ) -> None:  # fmt: skip
        """Every use of every layer, as soon as what it reads is there, in the order of the file."""
        shapes = shapes_in(named.values())
        place = {name: index for index, name in enumerate(named)}
        waiting: dict[Key, list[tuple[str, int]]] = {}
        missing: dict[tuple[str, int], int] = {}
        ready: list[tuple[int, int, str]] = []
        for name, uses in calls.items():
            for number, call in enumerate(uses):
                wanted = {(one[0], one[1], 0) for one in call.sources()}
                wanted = {key for key in wanted if key not in done}
                missing[name, number] = len(wanted)
                for key in wanted:
                    waiting.setdefault(key, []).append((name, number))
                if not wanted:
                    heapq.heappush(ready, (place[name], number, name))
        while ready:
            _, number, name = heapq.heappop(ready)
            call = calls[name][number]
            label = "/".join((*scope, name))
            reads = [self.found(done, key, label) for key in call.reads]
            extra = {part: self.found(done, key, label) for part, key in call.named.items()}
            outputs = self.use(named[name], call, reads, extra, scope, shapes.get((name, number, 0)))
            for index, tensor in enumerate(outputs):
                done[name, number, index] = tensor
            missing.pop((name, number))
            for other in waiting.pop((name, number, 0), []):
                missing[other] -= 1
                if not missing[other]:
                    heapq.heappush(ready, (place[other[0]], other[1], other[0]))
        if missing:
            name, number = min(missing, key=lambda one: (place[one[0]], one[1]))
            call = calls[name][number]
            source = next(key[0] for key in call.sources() if (key[0], key[1], 0) not in done)
            hint = "" if source in named else did_you_mean(source, list(named)[:2000])
            reason = "which reads it in turn, or is not used so often" if source in named else "which is not there"
            raise self.wrong(f"it reads {source[:60]!r}, {reason}{hint}", "/".join((*scope, name)))

    def found(self, done: dict[Key, Output], key: Key, reader: str) -> Tensor:
        """An output, which is added now where it is one that few read."""
        if key not in done:
            raise self.wrong(f"it reads output {key[2]} of {key[0][:60]!r}, which archcalc does not have", reader)
        output = done[key]
        if not isinstance(output, Tensor):
            output = done[key] = output()
        return output

    def calls(self, layer: Mapping[str, Any], name: str) -> list[Call]:
        """The uses of a layer: `args` and `kwargs` in Keras 3, lists of what is read in Keras 2."""
        nodes = layer.get("inbound_nodes") or []
        if not isinstance(nodes, list):
            raise self.wrong("inbound_nodes should be a list", name)
        found = []
        for node in nodes:
            if isinstance(node, Mapping):
                kwargs = node.get("kwargs")
                kwargs = kwargs if isinstance(kwargs, Mapping) else {}
                read = {part: list(keys_in(value)) for part, value in kwargs.items() if part != "mask"}
                by_name = {part: keys[0] for part, keys in read.items() if keys}
                many = [key for keys in read.values() for key in keys[1:]]
                args = node.get("args") if isinstance(node.get("args"), list) else []
                found.append(Call([*keys_in(args), *many], by_name, {**kwargs, "args": args}))
            elif isinstance(node, list):
                reads: list[Key] = []
                named: dict[str, Key] = {}
                other: dict[str, Any] = {}
                for one in [node] if node and isinstance(node[0], str) else node:
                    reads += list(keys_in(one))
                    if isinstance(one, list) and len(one) > 3 and isinstance(one[3], Mapping):
                        other |= one[3]
                        read = {part: list(keys_in(value)) for part, value in one[3].items() if part != "mask"}
                        named |= {part: keys[0] for part, keys in read.items() if keys}
                found.append(Call(reads, named, other))
            else:
                raise self.wrong(f"an inbound node should be a list, not {node!r:.40}", name)
        return found

    def use(
        self, document: Mapping[str, Any], call: Call, inputs: list[Tensor], extra: Mapping[str, Tensor],
        scope: tuple[str, ...], shape: Shape | None = None, seen: Shape | None = None,
    ) -> Sequence[Output]:  # fmt: skip
        """A layer on the maps that reach it."""
        kind, config = self.parts(document)
        name = document.get("name") or config.get("name")
        path = (*scope, name if isinstance(name, str) and name else kind.lower())
        label = "/".join(path)
        document = self.same(document, path)
        kind, config = self.parts(document)
        origin = "/".join(self.origin(path))
        if kind in MODELS:
            return self.model(document, [*inputs, *extra.values()], path)
        if kind == "InputLayer":
            raise self.wrong("an input that the model does not name as one of its inputs", label)
        shape = self.own(shape)
        module = document.get("module")
        is_operation = isinstance(module, str) and module.startswith(("keras.src.ops", "keras.ops"))
        is_code = is_operation or kind in ("Lambda", "TFOpLambda", "SlicingOpLambda")
        # An .h5 does not say so; operations have none of what all layers have.
        is_operation = is_operation or (module is None and kind not in CLASSES and not _OF_LAYERS & config.keys())
        if kind == "TFOpLambda" and (known := TENSORFLOW.get(str(config.get("function")))):
            kind, is_operation, is_code = known, True, True
            config = {**config, **call.other}
            call = call._replace(other={"args": [None, call.other.get("y")]})
        again = origin in self.first
        layer = KerasLayer(
            self.net, kind, label, config, self.file, self.last, {} if again else self.weights.of(path, kind, config),
            self.first.get(origin, ()), shape, extra, call.other, CLASSES, [],
            lambda: self.weights.count(self.origin(path)), self.own(seen or self.weights.shape(path)),
        )  # fmt: skip
        if kind not in ("Reshape", "Permute"):
            self.refuse_wide([*inputs, *extra.values()], label)
        make = CLASSES.get(_OPERATIONS.get(kind, kind) if is_operation else kind)
        make = OPERATIONS.get(kind, make) if is_operation else make
        reads = [*inputs, *extra.values()] if is_operation else inputs
        made: Tensor | Sequence[Output]
        if make is None:
            reason = f"archcalc {'cannot read' if is_code else 'has no layer'} {kind[:60]!r} of Keras"
            params = 0 if is_code else None
            hint = did_you_mean(kind, CLASSES)
            made = unread(layer, [*inputs, *extra.values()], reason, params, hint, is_operation)
        else:
            try:
                made = make(layer, reads)
            except UnreadError as reason:
                made = unread(layer, [*inputs, *extra.values()], str(reason))
        self.first.setdefault(origin, layer.made)
        outputs = [made] if isinstance(made, Tensor) else made
        self.compare(layer, outputs)
        is_masked = not is_operation and any(tensor.masked for tensor in [*inputs, *extra.values()])
        if skips(kind, config, call.other, is_masked=is_masked):
            self.net.masked.update(layer.made)
            self.net.note(NOTE.format(label))
        if passes(kind, config, is_masked=is_masked):
            return [each._replace(masked=True) if isinstance(each, Tensor) else each for each in outputs]
        return [each._replace(masked=False) if isinstance(each, Tensor) else each for each in outputs]

    def own(self, shape: Shape | None) -> Shape | None:
        """A shape of the file with its channels first, and with open sizes where its inputs have others."""
        if shape is None or self.is_resized:
            return shape and (0,) * len(shape)
        return (shape[-1], *shape[:-1]) if self.last else shape

    def refuse_wide(self, tensors: Sequence[Tensor], label: str = "") -> None:
        """Raise `SpecError` for a map with more axes than there are here, which only a shuffle has in between."""
        for wide in [tensor.wide for tensor in tensors if tensor.wide]:
            raise self.wrong(
                f"shape {wide.sizes} has more axes than archcalc can have: channels and 3 positions", label
            )

    def same(self, document: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
        """The layer or model that this is; where a file marks it as used before, that one, as Keras loads it.

        Source: keras-team/keras 3, keras/src/saving/serialization_lib.py, `shared_object_id`.
        """
        number = document.get("shared_object_id")
        if type(number) is not int:
            return document
        first, origin = self.objects.setdefault(number, (document, self.origin(path)))
        if self.parts(first)[0] != self.parts(document)[0]:
            shown = f"{self.parts(first)[0][:60]} and {self.parts(document)[0][:60]}"
            raise self.wrong(f"two layers have the shared_object_id {number}: {shown}", "/".join(path))
        if origin != path:
            self.origins[path] = origin
        return first

    def origin(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The path at which a layer was used first, which is another where a model around it is used again."""
        if not path:
            return path
        return self.origins.get(path) or (*self.origin(path[:-1]), path[-1])

    def compare(self, layer: KerasLayer, outputs: Sequence[Output]) -> None:
        """Raise `SpecError` where the file says another shape than archcalc finds."""
        first = outputs[0] if outputs else None
        if layer.shape is None or not isinstance(first, Tensor) or first.last != self.last or first.wide:
            return
        found = layer.own(first)
        if len(found) != len(layer.shape) or any(
            size not in (0, own) for size, own in zip(layer.shape, found, strict=True)
        ):
            raise layer.wrong(
                f"the file says that its output is {layer.shape}, archcalc finds {found} (channels first)"
            )


#: What the settings of every layer have.
_OF_LAYERS = {"trainable", "dtype"}
#: Operations of `keras.ops` that are layers under another name, or none of the layers with their name.
_OPERATIONS = {"Relu": "ReLU", "Concat": "Concatenate", "Dot": "", "Average": ""}
