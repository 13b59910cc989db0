// A provider of Dubbo for Go: dubbo-provider ZOOKEEPER PORT. It writes "ready" when it serves.
// 3.1.1: the servers of 3.3.0 and 3.3.1 do not start, they take a TLS configuration without certificates for one.
package main

import (
	"context"
	"fmt"
	"os"

	"dubbo.apache.org/dubbo-go/v3/config"
	_ "dubbo.apache.org/dubbo-go/v3/imports"
)

type Peer struct{}

func (p *Peer) Echo(ctx context.Context, text string) (string, error) { return text, nil }

func (p *Peer) MethodMapper() map[string]string { return map[string]string{"Echo": "echo"} }

func main() {
	config.SetProviderService(&Peer{})
	root := config.NewRootConfigBuilder().
		SetApplication(config.NewApplicationConfigBuilder().SetName("go-provider").Build()).
		AddRegistry("zk", config.NewRegistryConfigBuilder().SetProtocol("zookeeper").SetAddress(os.Args[1]).
			SetRegistryType("interface").Build()).
		AddProtocol("dubbo", config.NewProtocolConfigBuilder().SetName("dubbo").SetPort(os.Args[2]).Build()).
		SetProvider(config.NewProviderConfigBuilder().AddService("Peer", config.NewServiceConfigBuilder().
			SetInterface("heddle.interop.Peer").SetVersion("1.0").SetGroup("interop").SetProtocolIDs("dubbo").Build()).Build()).
		Build()
	if err := config.Load(config.WithRootConfig(root)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	select {}
}
