// A consumer of Dubbo for Go: dubbo-go ADDRESS, that of ZooKeeper. It writes "ready", then a line "answer ..." or "error ..." for
// each line of standard input. Its providers do not start: 3.3.0 and 3.3.1 take a TLS configuration without certificates for one.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"dubbo.apache.org/dubbo-go/v3"
	"dubbo.apache.org/dubbo-go/v3/client"
	_ "dubbo.apache.org/dubbo-go/v3/imports"
	"dubbo.apache.org/dubbo-go/v3/registry"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	where := dubbo.WithRegistry(registry.WithZookeeper(), registry.WithAddress(os.Args[1]),
		registry.WithRegisterServiceAndInterface())
	instance, err := dubbo.NewInstance(dubbo.WithName("go-consumer"), where)
	fail(err)
	calling, err := instance.NewClient(client.WithClientProtocolDubbo(), client.WithClientSerialization("hessian2"))
	fail(err)
	connection, err := calling.Dial("heddle.interop.Peer", client.WithVersion("1.0"), client.WithGroup("interop"))
	fail(err)
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var answer string
		if err := connection.CallUnary(context.Background(), []any{lines.Text()}, &answer, "echo"); err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Println("answer", answer)
		}
	}
}
