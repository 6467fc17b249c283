package cluster

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// auditPolicy records who wrote what, without the objects.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
`

// startTimeout is how long a part of the control plane may take until it is ready. A busy machine needs a few seconds.
const startTimeout = 2 * time.Minute

// startEtcd starts etcd in this process. It writes to its files without waiting for the disk: nobody will read them again.
func (c *Cluster) startEtcd(ctx context.Context) error {
	anywhere := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config := embed.NewConfig()
	config.Dir = c.file("etcd")
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{anywhere}, []url.URL{anywhere}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{anywhere}, []url.URL{anywhere}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogOutputs = []string{c.file("etcd.log")}
	config.LogLevel = "warn"
	config.UnsafeNoFsync = true
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("starting etcd: %w", err)
	}
	c.etcd = etcd
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-etcd.Server.ReadyNotify():
		return nil
	case err := <-etcd.Err():
		return fmt.Errorf("starting etcd: %w", err)
	case <-ctx.Done():
		return fmt.Errorf("waiting until etcd is ready: %w", ctx.Err())
	}
}

// startAPIServer writes what the API server and its clients need, and starts it.
func (c *Cluster) startAPIServer(ctx context.Context, program string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("making the key of service accounts: %w", err)
	}
	token, account := rand.Text(), rand.Text()
	c.AuditLog = c.file("audit.log")
	for name, content := range map[string][]byte{
		"service-accounts.key": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		"tokens.csv":           []byte(token + ",admin,admin,system:masters\n" + account + "," + metacontrollerUser + "," + metacontrollerUser + "\n"),
		"audit-policy.yaml":    []byte(auditPolicy),
		"audit.log":            nil, // so that it can be read before anything was written
	} {
		if err := os.WriteFile(c.file(name), content, 0o600); err != nil {
			return fmt.Errorf("preparing the API server: %w", err)
		}
	}
	c.apiServer = program

	// A port that is free now may be taken when the API server wants it: then another one.
	for range 3 {
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err = c.runAPIServer(ctx); !errors.Is(err, errEnded) {
			break
		}
	}
	if err != nil {
		return err
	}
	if c.Kubeconfig, err = c.writeKubeconfig("kubeconfig", token); err != nil {
		return err
	}
	if c.account, err = c.writeKubeconfig("metacontroller.kubeconfig", account); err != nil {
		return err
	}
	if c.Config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	c.Config.QPS = -1
	return nil
}

// runAPIServer starts the API server and waits until it is ready.
func (c *Cluster) runAPIServer(ctx context.Context) error {
	var err error
	c.api, err = c.run("kube-apiserver", c.apiServer,
		"--etcd-servers=http://"+c.etcd.Clients[0].Addr().String(),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1", // else it looks for an address that the network knows it by
		"--endpoint-reconciler-type=none",
		"--secure-port="+strconv.Itoa(c.port),
		"--cert-dir="+c.file("certificates"), // it makes one, signed by itself
		"--token-auth-file="+c.file("tokens.csv"),
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount", // it would wait for a controller that does not run
		// As on OpenShift: who sets blockOwnerDeletion needs a right for it, which Metacontroller's narrow role has to have.
		"--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file="+c.file("service-accounts.key"),
		"--service-account-signing-key-file="+c.file("service-accounts.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--audit-policy-file="+c.file("audit-policy.yaml"),
		"--audit-log-path="+c.AuditLog,
		"--audit-log-maxsize=10000", // in MB: it stays one file
		"--profiling=false",
	)
	if err != nil {
		return err
	}
	var client *rest.RESTClient
	return c.api.await(ctx, startTimeout, func(ctx context.Context) (bool, error) {
		if client == nil {
			if client, err = c.anonymous(); err != nil {
				return false, err
			}
		}
		err := client.Get().AbsPath("/readyz").Do(ctx).Error()
		return err == nil, err
	})
}

// anonymous is a client that may only ask whether the API server is ready. Until that has written its certificate, there
// is an error.
func (c *Cluster) anonymous() (*rest.RESTClient, error) {
	config := &rest.Config{Host: c.address(), TLSClientConfig: rest.TLSClientConfig{CAFile: c.certificate()}}
	config.NegotiatedSerializer = scheme.Codecs
	config.Timeout, config.QPS = 5*time.Second, -1 // else the last error is that it may not ask so often
	return rest.UnversionedRESTClientFor(config)
}

// writeKubeconfig writes a kubeconfig with a token, and answers with its path.
func (c *Cluster) writeKubeconfig(name, token string) (string, error) {
	ca, err := os.ReadFile(c.certificate())
	if err != nil {
		return "", fmt.Errorf("reading the API server's certificate: %w", err)
	}
	const cluster = "wukong-e2e"
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{Server: c.address(), CertificateAuthorityData: ca}
	config.AuthInfos["user"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: "user"}
	config.CurrentContext = cluster
	if err := clientcmd.WriteToFile(*config, c.file(name)); err != nil {
		return "", fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return c.file(name), nil
}

// startControllers starts kube-controller-manager with the two controllers that deletion needs.
func (c *Cluster) startControllers(program string) error {
	_, err := c.run("kube-controller-manager", program,
		"--kubeconfig="+c.Kubeconfig,
		"--controllers=garbage-collector-controller,namespace-controller",
		"--leader-elect=false",
		"--service-account-private-key-file="+c.file("service-accounts.key"),
		"--secure-port=0", // it serves nothing
		"--kube-api-qps=200", "--kube-api-burst=400",
		"--profiling=false",
	)
	return err
}

func (c *Cluster) address() string {
	return "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))
}

func (c *Cluster) certificate() string {
	return filepath.Join(c.file("certificates"), "apiserver.crt")
}

func (c *Cluster) file(name string) string {
	return filepath.Join(c.Dir, name)
}

// freePort is a port of the loopback interface that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
