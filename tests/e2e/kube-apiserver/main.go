// A Kubernetes control plane as small as it can be: kube-apiserver, by its own code, over an etcd in the same process.
// Usage: kube-apiserver FOLDER [OPTION…], the options being kube-apiserver's. What etcd keeps lies in FOLDER.
package main

import (
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

const timeToStart = time.Minute

func main() {
	log.SetFlags(0)
	folder, options := os.Args[1], os.Args[2:]
	etcd, err := startEtcd(folder)
	if err != nil {
		log.Fatal(err)
	}
	command := app.NewAPIServerCommand()
	command.SetArgs(append(options, "--etcd-servers=http://"+etcd.Clients[0].Addr().String()))
	status := cli.Run(command)
	etcd.Close()
	os.Exit(status)
}

// startEtcd gives one that is ready, at free ports.
func startEtcd(folder string) (*embed.Etcd, error) {
	settings := embed.NewConfig()
	settings.Dir = folder
	settings.LogLevel = "error"
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	settings.ListenClientUrls, settings.AdvertiseClientUrls = anyPort, anyPort
	settings.ListenPeerUrls, settings.AdvertisePeerUrls = anyPort, anyPort
	settings.InitialCluster = settings.InitialClusterFromName(settings.Name)
	etcd, err := embed.StartEtcd(settings)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case <-time.After(timeToStart):
		return nil, errors.New("etcd does not get ready")
	}
}
