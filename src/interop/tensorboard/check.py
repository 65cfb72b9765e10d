"""Reads files of events by Google's protobuf, an implementation that has nothing of Lyceum's, and counts what they hold.

    apt-get install python3-protobuf
    /usr/bin/python3 src/interop/tensorboard/check.py FOLDER

The messages are those of TensorFlow's public definitions, as far as they are needed here; a field that is not among them is an error.
"""
import glob
import json
import struct
import sys
from collections import Counter

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

F = descriptor_pb2.FieldDescriptorProto
MESSAGES = {
    "Event": [("wall_time", 1, F.TYPE_DOUBLE), ("step", 2, F.TYPE_INT64), ("file_version", 3, F.TYPE_STRING),
              ("summary", 5, "Summary"), ("session_log", 7, "SessionLog")],
    "SessionLog": [("status", 1, F.TYPE_INT32)],
    "Summary": [("value", 1, ["SummaryValue"])],
    "SummaryValue": [("tag", 1, F.TYPE_STRING), ("simple_value", 2, F.TYPE_FLOAT), ("image", 4, "Image"),
                     ("histo", 5, "Histogram"), ("tensor", 8, "Tensor"), ("metadata", 9, "Metadata")],
    "Metadata": [("plugin_data", 1, "PluginData")],
    "PluginData": [("plugin_name", 1, F.TYPE_STRING), ("content", 2, F.TYPE_BYTES)],
    "Image": [("height", 1, F.TYPE_INT32), ("width", 2, F.TYPE_INT32), ("colorspace", 3, F.TYPE_INT32),
              ("encoded_image_string", 4, F.TYPE_BYTES)],
    "Histogram": [("min", 1, F.TYPE_DOUBLE), ("max", 2, F.TYPE_DOUBLE), ("num", 3, F.TYPE_DOUBLE),
                  ("sum", 4, F.TYPE_DOUBLE), ("sum_squares", 5, F.TYPE_DOUBLE), ("bucket_limit", 6, [F.TYPE_DOUBLE]),
                  ("bucket", 7, [F.TYPE_DOUBLE])],
    "Tensor": [("dtype", 1, F.TYPE_INT32), ("tensor_shape", 2, "Shape"), ("string_val", 8, [F.TYPE_BYTES])],
    "Shape": [("dim", 2, ["Dim"])],
    "Dim": [("size", 1, F.TYPE_INT64)],
    "HParams": [("version", 1, F.TYPE_INT32), ("experiment", 2, "Experiment"), ("session_start_info", 3, "Start"),
                ("session_end_info", 4, "End")],
    "Experiment": [("description", 1, F.TYPE_STRING), ("time_created_secs", 3, F.TYPE_DOUBLE),
                   ("hparam_infos", 4, ["HParamInfo"]), ("metric_infos", 5, ["MetricInfo"])],
    "HParamInfo": [("name", 1, F.TYPE_STRING), ("type", 4, F.TYPE_INT32)],
    "MetricInfo": [("name", 1, "MetricName"), ("display_name", 3, F.TYPE_STRING), ("description", 4, F.TYPE_STRING)],
    "MetricName": [("group", 1, F.TYPE_STRING), ("tag", 2, F.TYPE_STRING)],
    "Start": [("hparams", 1, ["Entry"]), ("group_name", 4, F.TYPE_STRING), ("start_time_secs", 5, F.TYPE_DOUBLE)],
    "Entry": [("key", 1, F.TYPE_STRING), ("value", 2, "Value")],
    "Value": [("number_value", 2, F.TYPE_DOUBLE), ("string_value", 3, F.TYPE_STRING), ("bool_value", 4, F.TYPE_BOOL)],
    "End": [("status", 1, F.TYPE_INT32), ("end_time_secs", 2, F.TYPE_DOUBLE)],
}


def classes():
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="events", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            repeated = isinstance(kind, list)
            kind = kind[0] if repeated else kind
            added = message.field.add(name=field, number=number,
                                      label=F.LABEL_REPEATED if repeated else F.LABEL_OPTIONAL)
            if isinstance(kind, str):
                added.type, added.type_name = F.TYPE_MESSAGE, f".events.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"events.{name}")) for name in MESSAGES}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    with open(path, "rb") as file:
        while head := file.read(12):
            length, check = struct.unpack("<QI", head)
            assert check == masked(head[:8]), f"{path}: a length is damaged"
            content = file.read(length)
            assert struct.unpack("<I", file.read(4))[0] == masked(content), f"{path}: a record is damaged"
            yield content


def assert_known(message):
    assert not message.FindInitializationErrors()
    copy = type(message)()
    copy.CopyFrom(message)
    copy.DiscardUnknownFields()
    assert copy.ByteSize() == message.ByteSize(), f"a field of {message.DESCRIPTOR.name} is unknown"


made = classes()
counts = Counter()
for path in sorted(glob.glob(f"{sys.argv[1]}/**/*tfevents*", recursive=True)):
    counts["files"] += 1
    for content in records(path):
        event = made["Event"].FromString(content)
        assert_known(event)
        counts["records"] += 1
        if event.file_version:
            assert event.file_version == "brain.Event:2"
        for value in event.summary.value:
            plugin = value.metadata.plugin_data
            if value.HasField("image"):
                assert value.image.encoded_image_string.startswith(b"\x89PNG")
                counts["images"] += 1
            elif value.HasField("histo"):
                assert len(value.histo.bucket) == len(value.histo.bucket_limit)
                assert sum(value.histo.bucket) == value.histo.num
                counts["histograms"] += 1
            elif plugin.plugin_name == "hparams":
                data = made["HParams"].FromString(plugin.content)
                assert_known(data)
                counts["hparams"] += 1
                counts["hparams, values"] += len(data.session_start_info.hparams)
            elif plugin.plugin_name == "text":
                assert value.tensor.dtype == 7 and value.tensor.string_val[0].decode()
                counts["texts"] += 1
            else:
                counts["scalars"] += 1
print(json.dumps(counts))
