"""server | client ADDRESS: the service test.Echo of kit/grpc-js.ts in grpcio (C-core), messages as bytes."""

import json
import sys
import threading
import time
from concurrent import futures

import grpc

LIMIT = [("grpc.max_receive_message_length", 16 << 20), ("grpc.max_send_message_length", 16 << 20)]


def unary(request, context):
    given = {key: value for key, value in context.invocation_metadata() if key.startswith("x-")}
    context.send_initial_metadata(tuple(given.items()))
    if request == b"wait":
        over = threading.Event()
        context.add_callback(over.set)
        over.wait(20)
        return b""
    if request == b"":
        context.set_trailing_metadata((("grpc-status-details-bin", b"\x08\x05"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "größer als nichts")
    context.set_trailing_metadata(tuple(given.items()))
    return request


def client_stream(requests, context):
    return str(sum(len(each) for each in requests)).encode()


def server_stream(request, context):
    for i in range(5):
        yield request + str(i).encode()


def both(requests, context):
    yield from requests


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(8), options=LIMIT)
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler("test.Echo", {
            "unary": grpc.unary_unary_rpc_method_handler(unary),
            "client": grpc.stream_unary_rpc_method_handler(client_stream),
            "server": grpc.unary_stream_rpc_method_handler(server_stream),
            "both": grpc.stream_stream_rpc_method_handler(both),
        }),
    ))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"port": port, "version": grpc.__version__}), flush=True)
    sys.stdin.read()
    server.stop(None)


def code_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name, error.details()
    return "OK", ""


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def call_all(channel):
    path = "/test.Echo/"
    one = channel.unary_unary(path + "unary")
    names = [f"n{i}".encode() for i in range(200)]
    expect("200 calls at once", [each.result() for each in [one.future(name) for name in names]], names)
    count = channel.stream_unary(path + "client")
    expect("client stream", count(iter([b"x" * 20000] * 20)), b"400000")
    stream = channel.unary_stream(path + "server")
    expect("server stream", list(stream(b"n")), [b"n0", b"n1", b"n2", b"n3", b"n4"])
    pairs = channel.stream_stream(path + "both")
    expect("both ways", b"".join(pairs(iter([b"y" * 50000] * 20))), b"y" * 1_000_000)

    metadata = (("x-text", "ja"), ("x-raw-bin", b"\x00\xff\n"))
    _, call = one.with_call(b"a", metadata=metadata)
    head, trail = dict(call.initial_metadata()), dict(call.trailing_metadata())
    expect("initial metadata", (head["x-text"], head["x-raw-bin"]), ("ja", b"\x00\xff\n"))
    expect("trailing metadata", (trail["x-text"], trail["x-raw-bin"]), ("ja", b"\x00\xff\n"))

    expect("an error", code_of(lambda: one(b"")), ("NOT_FOUND", "größer als nichts"))
    expect("an unknown method", code_of(lambda: channel.unary_unary(path + "nothing")(b"a"))[0], "UNIMPLEMENTED")
    begin = time.monotonic()
    expect("a deadline", code_of(lambda: one(b"wait", timeout=0.3))[0], "DEADLINE_EXCEEDED")
    if time.monotonic() - begin > 5:
        raise AssertionError("the deadline was late")

    open_call = pairs(iter(lambda: (time.sleep(0.05), b"a")[1], None))
    next(open_call)
    open_call.cancel()
    expect("a cancelled stream", code_of(lambda: list(open_call))[0], "CANCELLED")

    big = b"z" * (4 << 20)
    expect("4 MiB", one(big) == big, True)
    expect("still there", one(b"after"), b"after")
    return 200 + 10


def main():
    if sys.argv[1] == "server":
        serve()
        return
    with grpc.insecure_channel(sys.argv[2], options=LIMIT) as channel:
        print(json.dumps({"calls": call_all(channel), "version": grpc.__version__}))


main()
