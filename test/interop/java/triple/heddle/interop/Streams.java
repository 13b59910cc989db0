package heddle.interop;

import org.apache.dubbo.common.stream.StreamObserver;

/** Calls of Triple that are streams. */
public interface Streams {
    void server(String text, StreamObserver<String> answers);
    StreamObserver<String> both(StreamObserver<String> answers);
}
