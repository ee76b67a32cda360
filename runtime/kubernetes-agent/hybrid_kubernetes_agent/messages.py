"""Messages of gRPC services by the numbers of their fields, without generated code."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "string": _Field.TYPE_STRING,
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "uint32": _Field.TYPE_UINT32,
}


def message_classes(package: str, messages: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """The class of a message by its name. `messages` has the fields of each as `name number type`.

    A type with a capital letter is a message. `map` is one of strings to strings, `map<TYPE>` one of strings to that.
    What stands in brackets comes several times.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _define(package, message, field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))


def _define(package: str, message: descriptor_pb2.DescriptorProto, field_text: str) -> None:
    name, number, kind = field_text.split()
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    if kind.startswith("map"):
        kind = f"[{message.name}.{_define_entry(package, message, name, kind[4:-1] or 'string')}]"
    if kind.startswith("["):
        field.label, kind = _Field.LABEL_REPEATED, kind.strip("[]")
    _set_type(package, field, kind)


def _define_entry(package: str, message: descriptor_pb2.DescriptorProto, name: str, kind: str) -> str:
    """What a compiler makes of map<string, kind>: a repeated message with a key and a value. Its name."""
    entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    for number, (part, of) in enumerate((("key", "string"), ("value", kind)), 1):
        _set_type(package, entry.field.add(name=part, number=number, label=_Field.LABEL_OPTIONAL), of)
    return entry.name


def _set_type(package: str, field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    if kind in _TYPES:
        field.type = _TYPES[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{package}.{kind}"
