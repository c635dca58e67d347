// Command gateway is Lightlock: it takes customers' photos from messaging
// platforms, develops them anew, and hands clean pictures to agents.
//
// This package only puts the parts together; it promises no behaviour of its
// own. Nothing can import it, so the wiring stays in three files: main.go,
// app.go (how it is put together, started and stopped) and channels.go.
package main

import (
	"log/slog"
	"os"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/cli"
	"github.com/lightlock/lightlock/gateway/darkroom"
)

func main() {
	darkroom.RunIfChild()
	os.Exit(cli.Run(os.Args[1:], program()))
}

// program is what the command line works with.
func program() cli.Program {
	return cli.Program{
		Channels: channels(),
		NewGateway: func(loaded *config.Loaded, log *slog.Logger) (cli.Gateway, error) {
			return NewApp(loaded, log)
		},
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
	}
}
