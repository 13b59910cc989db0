package heddle.interop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.dubbo.common.stream.StreamObserver;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.rpc.RpcContext;

/**
 * serve PORT | call ADDRESS NAME [ATTACHMENT] | server ADDRESS TEXT | both ADDRESS COUNT: Triple without a registry,
 * group "interop", version "2.0.0".
 */
public final class TripleMain {
    private static final Map<String, Object> references = new HashMap<>();
    private static final PeerImpl impl = new PeerImpl(key -> RpcContext.getServerAttachment().getAttachment(key));

    private TripleMain() {}

    public static void main(String[] args) throws Exception {
        Lines.serve(words -> {
            switch (words[1]) {
                case "serve": return serve(Integer.parseInt(words[2]));
                case "call": return call(words[2], words[3], words.length > 4 ? words[4] : null);
                case "server": return server(words[2], words[3]);
                case "both": return both(words[2], Integer.parseInt(words[3]));
                default: throw new IllegalArgumentException(words[1]);
            }
        });
    }

    private static ApplicationConfig application() {
        ApplicationConfig application = new ApplicationConfig("heddle-interop");
        application.setQosEnable(false);
        return application;
    }

    private static String serve(int port) {
        ProtocolConfig protocol = new ProtocolConfig("tri", port);
        protocol.setHost("127.0.0.1");
        export(protocol, Peer.class, impl);
        export(protocol, Streams.class, new StreamsImpl());
        return "127.0.0.1:" + port;
    }

    private static <T> void export(ProtocolConfig protocol, Class<T> type, T ref) {
        ServiceConfig<T> service = new ServiceConfig<>();
        service.setApplication(application());
        service.setRegistry(new RegistryConfig("N/A"));
        service.setProtocol(protocol);
        service.setInterface(type);
        service.setVersion("2.0.0");
        service.setGroup("interop");
        service.setRef(ref);
        service.export();
    }

    private static String call(String address, String name, String attachment) throws Exception {
        RpcContext.getClientAttachment().setAttachment("tenant", attachment == null ? "none" : attachment);
        return Calls.run(refer(address, Peer.class), name);
    }

    private static String server(String address, String text) throws Exception {
        Collected collected = new Collected();
        refer(address, Streams.class).server(text, collected);
        return collected.text();
    }

    private static String both(String address, int count) throws Exception {
        Collected collected = new Collected();
        StreamObserver<String> requests = refer(address, Streams.class).both(collected);
        for (int i = 0; i < count; i++) requests.onNext("m" + i);
        requests.onCompleted();
        return collected.text();
    }

    @SuppressWarnings("unchecked")
    private static <T> T refer(String address, Class<T> type) {
        return (T) references.computeIfAbsent(type.getName() + address, key -> {
            ReferenceConfig<T> reference = new ReferenceConfig<>();
            reference.setApplication(application());
            reference.setInterface(type);
            reference.setVersion("2.0.0");
            reference.setGroup("interop");
            // Dubbo replaces loopback addresses by the machine's own; written as one number it leaves them alone.
            reference.setUrl("tri://" + address.replace("127.0.0.1", "2130706433"));
            reference.setTimeout(2500);
            reference.setRetries(0);
            reference.setCheck(false);
            return reference.get();
        });
    }

    private static final class StreamsImpl implements Streams {
        public void server(String text, StreamObserver<String> answers) {
            for (int i = 0; i < 5; i++) answers.onNext(text + i);
            answers.onCompleted();
        }

        public StreamObserver<String> both(StreamObserver<String> answers) {
            return new StreamObserver<String>() {
                public void onNext(String text) { answers.onNext("<" + text + ">"); }
                public void onError(Throwable thrown) { answers.onError(thrown); }
                public void onCompleted() { answers.onCompleted(); }
            };
        }
    }

    private static final class Collected implements StreamObserver<String> {
        private final List<String> texts = Collections.synchronizedList(new ArrayList<>());
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile Throwable failure;

        public void onNext(String text) { texts.add(text); }

        public void onError(Throwable thrown) {
            failure = thrown;
            ended.countDown();
        }

        public void onCompleted() { ended.countDown(); }

        String text() throws Exception {
            if (!ended.await(10, TimeUnit.SECONDS)) throw new IllegalStateException("no end, got " + texts);
            if (failure != null) throw new IllegalStateException(failure);
            return String.join(" ", texts);
        }
    }
}
