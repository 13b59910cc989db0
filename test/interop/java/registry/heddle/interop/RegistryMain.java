package heddle.interop;

import java.util.HashMap;
import java.util.Map;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import org.apache.dubbo.rpc.RpcContext;

/**
 * Dubbo with a registry, one application a JVM; its levels and steps come as system properties
 * (dubbo.application.register-mode and so on).
 * serve REGISTRY APPLICATION PROTOCOL PORT | stop | refer REGISTRY APPLICATION PROTOCOL | call NAME
 */
public final class RegistryMain {
    private static final PeerImpl impl = new PeerImpl(key -> RpcContext.getContext().getAttachment(key));
    private static DubboBootstrap bootstrap;
    private static ServiceConfig<Peer> service;
    private static Peer peer;

    private RegistryMain() {}

    public static void main(String[] args) throws Exception {
        Lines.serve(words -> {
            switch (words[1]) {
                case "serve": return serve(words[2], words[3], words[4], Integer.parseInt(words[5]));
                case "stop":
                    service.unexport();
                    bootstrap.stop();
                    return "stopped";
                case "refer": return refer(words[2], words[3], words[4]);
                case "call": return Calls.run(peer, words[2]);
                default: throw new IllegalArgumentException(words[1]);
            }
        });
    }

    private static ApplicationConfig application(String name) {
        ApplicationConfig application = new ApplicationConfig(name);
        application.setQosEnable(false);
        application.setMetadataType(System.getProperty("heddle.metadata", "local"));
        return application;
    }

    private static RegistryConfig registry(String address) {
        RegistryConfig registry = new RegistryConfig(address);
        registry.setTimeout(10000);
        Map<String, String> parameters = new HashMap<>();
        parameters.put("session", "10000");
        registry.setParameters(parameters);
        return registry;
    }

    private static String serve(String registry, String name, String protocolName, int port) {
        ProtocolConfig protocol = new ProtocolConfig(protocolName, port);
        protocol.setSerialization("hessian2");
        service = new ServiceConfig<>();
        service.setInterface(Peer.class);
        service.setVersion("1.0");
        service.setGroup("interop");
        service.setRef(impl);
        bootstrap = DubboBootstrap.getInstance();
        bootstrap
            .application(application(name))
            .registry(registry(registry))
            .protocol(protocol)
            .service(service)
            .start();
        return "ready";
    }

    private static String refer(String registry, String name, String protocol) {
        ReferenceConfig<Peer> reference = new ReferenceConfig<>();
        reference.setInterface(Peer.class);
        reference.setVersion("1.0");
        reference.setGroup("interop");
        reference.setProtocol(protocol);
        reference.setTimeout(3000);
        reference.setRetries(0);
        reference.setCheck(false);
        bootstrap = DubboBootstrap.getInstance();
        bootstrap.application(application(name)).registry(registry(registry)).reference(reference).start();
        peer = reference.get();
        return "ready";
    }
}
