package heddle.interop;

import com.alipay.sofa.rpc.config.ApplicationConfig;
import com.alipay.sofa.rpc.config.ConsumerConfig;
import com.alipay.sofa.rpc.config.ProviderConfig;
import com.alipay.sofa.rpc.config.RegistryConfig;
import com.alipay.sofa.rpc.config.ServerConfig;
import com.alipay.sofa.rpc.context.RpcInvokeContext;

/** SOFARPC with ZooKeeper, or nacos://host:port. serve REGISTRY PORT | stop | refer REGISTRY | call NAME */
public final class SofaRegistryMain {
    private static final PeerImpl impl =
        new PeerImpl(key -> RpcInvokeContext.getContext().getRequestBaggage(key));
    private static ProviderConfig<Peer> provider;
    private static Peer peer;

    private SofaRegistryMain() {}

    public static void main(String[] args) throws Exception {
        Lines.serve(words -> {
            switch (words[1]) {
                case "serve": return serve(words[2], Integer.parseInt(words[3]));
                case "stop":
                    provider.unExport();
                    return "stopped";
                case "refer": return refer(words[2]);
                case "call": return Calls.run(peer, words[2]);
                default: throw new IllegalArgumentException(words[1]);
            }
        });
    }

    private static RegistryConfig registry(String address) {
        String[] parts = address.split("://");
        String protocol = parts.length == 1 ? "zookeeper" : parts[0];
        return new RegistryConfig().setProtocol(protocol).setAddress(parts[parts.length - 1]);
    }

    private static String serve(String registry, int port) {
        ServerConfig server = new ServerConfig()
            .setProtocol("bolt")
            .setHost("127.0.0.1")
            .setVirtualHost("127.0.0.1")
            .setPort(port)
            .setDaemon(true);
        provider = new ProviderConfig<Peer>()
            .setApplication(new ApplicationConfig().setAppName("sofa-provider"))
            .setInterfaceId(Peer.class.getName())
            .setVersion("1.0")
            .setRef(impl)
            .setServer(server)
            .setRegistry(registry(registry));
        provider.export();
        return "ready";
    }

    private static String refer(String registry) {
        peer = new ConsumerConfig<Peer>()
            .setApplication(new ApplicationConfig().setAppName("sofa-consumer"))
            .setInterfaceId(Peer.class.getName())
            .setVersion("1.0")
            .setProtocol("bolt")
            .setTimeout(3000)
            .setReconnectPeriod(200)
            .setRegistry(registry(registry))
            .refer();
        return "ready";
    }
}
