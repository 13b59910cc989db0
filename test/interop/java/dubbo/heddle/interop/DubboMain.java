package heddle.interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.MethodConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.rpc.RpcContext;

/**
 * serve PORT | call ADDRESS NAME [ATTACHMENT]: the dubbo protocol with hessian2, without a registry. One
 * reference an address.
 */
public final class DubboMain {
    private static final Map<String, Peer> peers = new HashMap<>();
    private static final PeerImpl impl = new PeerImpl(key -> {
        RpcContext.getServerContext().setAttachment("served-by", "java");
        return RpcContext.getContext().getAttachment(key);
    });

    private DubboMain() {}

    public static void main(String[] args) throws Exception {
        Lines.serve(words -> {
            switch (words[1]) {
                case "serve": return serve(Integer.parseInt(words[2]));
                case "call": return call(words[2], words[3], words.length > 4 ? words[4] : null);
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
        ProtocolConfig protocol = new ProtocolConfig("dubbo", port);
        protocol.setHost("127.0.0.1");
        protocol.setSerialization("hessian2");
        ServiceConfig<Peer> service = new ServiceConfig<>();
        service.setApplication(application());
        service.setRegistry(new RegistryConfig("N/A"));
        service.setProtocol(protocol);
        service.setInterface(Peer.class);
        service.setVersion("1.0");
        service.setGroup("interop");
        service.setRef(impl);
        service.export();
        return "127.0.0.1:" + port;
    }

    private static String call(String address, String name, String attachment) throws Exception {
        Peer peer = peers.computeIfAbsent(address, DubboMain::refer);
        RpcContext.getContext().setAttachment("tenant", attachment == null ? "none" : attachment);
        String result = Calls.run(peer, name);
        Object back = RpcContext.getServerContext().getAttachment("served-by");
        return back == null ? result : result + " <" + back + ">";
    }

    private static Peer refer(String address) {
        MethodConfig note = new MethodConfig();
        note.setName("note");
        note.setReturn(false);
        List<MethodConfig> methods = new ArrayList<>();
        methods.add(note);
        ReferenceConfig<Peer> reference = new ReferenceConfig<>();
        reference.setApplication(application());
        reference.setInterface(Peer.class);
        reference.setVersion("1.0");
        reference.setGroup("interop");
        // Dubbo replaces loopback addresses by the machine's own; written as one number it leaves them alone.
        String loopback = address.replace("127.0.0.1", "2130706433");
        reference.setUrl("dubbo://" + loopback + "?serialization=hessian2&reconnect=true");
        reference.setTimeout(2500);
        reference.setRetries(0);
        reference.setCheck(false);
        reference.setMethods(methods);
        return reference.get();
    }
}
