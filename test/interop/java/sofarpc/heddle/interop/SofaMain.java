package heddle.interop;

import com.alipay.sofa.rpc.config.ConsumerConfig;
import com.alipay.sofa.rpc.config.MethodConfig;
import com.alipay.sofa.rpc.config.ProviderConfig;
import com.alipay.sofa.rpc.config.ServerConfig;
import com.alipay.sofa.rpc.context.RpcInvokeContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * serve PORT | call ADDRESS NAME [ATTACHMENT]: SOFARPC over Bolt without a registry. One consumer an address.
 */
public final class SofaMain {
    private static final Map<String, Peer> peers = new HashMap<>();
    private static final PeerImpl impl =
        new PeerImpl(key -> RpcInvokeContext.getContext().getRequestBaggage(key));

    private SofaMain() {}

    public static void main(String[] args) throws Exception {
        Lines.serve(words -> {
            switch (words[1]) {
                case "serve": return serve(Integer.parseInt(words[2]));
                case "call": return call(words[2], words[3], words.length > 4 ? words[4] : null);
                default: throw new IllegalArgumentException(words[1]);
            }
        });
    }

    private static String serve(int port) {
        ServerConfig server = new ServerConfig().setProtocol("bolt").setHost("127.0.0.1").setPort(port).setDaemon(true);
        new ProviderConfig<Peer>()
            .setInterfaceId(Peer.class.getName())
            .setVersion("1.0")
            .setRef(impl)
            .setServer(server)
            .setRegister(false)
            .export();
        return "127.0.0.1:" + port;
    }

    private static String call(String address, String name, String attachment) throws Exception {
        Peer peer = peers.computeIfAbsent(address, SofaMain::refer);
        RpcInvokeContext.getContext().putRequestBaggage("tenant", attachment == null ? "none" : attachment);
        try {
            String result = Calls.run(peer, name);
            String back = RpcInvokeContext.getContext().getResponseBaggage("served-by");
            return back == null ? result : result + " <" + back + ">";
        } finally {
            RpcInvokeContext.removeContext();
        }
    }

    private static Peer refer(String address) {
        MethodConfig note = new MethodConfig().setName("note").setInvokeType("oneway");
        List<MethodConfig> methods = new ArrayList<>();
        methods.add(note);
        return new ConsumerConfig<Peer>()
            .setInterfaceId(Peer.class.getName())
            .setVersion("1.0")
            .setProtocol("bolt")
            .setDirectUrl("bolt://" + address)
            .setMethods(methods)
            .setTimeout(2500)
            .setReconnectPeriod(200)
            .setRepeatedReferLimit(20)
            .setRegister(false)
            .refer();
    }
}
