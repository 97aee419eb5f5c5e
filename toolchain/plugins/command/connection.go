package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/retry"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// endpoint is a host that is logged in to.
type endpoint struct {
	Host               string `json:"host"`
	Port               int    `json:"port"`
	User               string `json:"user"`
	HostKey            string `json:"hostKey"`
	Password           string `json:"password"`
	PrivateKey         string `json:"privateKey"`
	PrivateKeyPassword string `json:"privateKeyPassword"`
	AgentSocketPath    string `json:"agentSocketPath"`
	DialErrorLimit     int    `json:"dialErrorLimit"` // -1: keep trying
	PerDialTimeout     int    `json:"perDialTimeout"` // seconds; 0: no limit
}

// connection is an endpoint, behind a jump host or not.
type connection struct {
	endpoint
	Proxy *endpoint `json:"proxy"`
}

func (e *endpoint) address() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

// opener makes the transport for one attempt: straight, or through the jump host.
type opener func(ctx context.Context, network, address string) (net.Conn, error)

// dial connects and logs in, with all the patience that the connection asks for.
func (c *connection) dial(ctx context.Context, log logger) (*ssh.Client, error) {
	straight := (&net.Dialer{}).DialContext
	if c.Proxy == nil {
		return c.login(ctx, straight, log)
	}
	jump, err := c.Proxy.login(ctx, straight, log)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	client, err := c.login(ctx, jump.DialContext, log)
	if err != nil {
		jump.Close()
		return nil, fmt.Errorf("proxy: %w", err)
	}
	go func() {
		client.Wait()
		jump.Close()
	}()
	return client, nil
}

// login tries until it succeeds, the limit is reached or the user interrupts; the pauses grow from 0.1 to 5 seconds.
func (e *endpoint) login(ctx context.Context, open opener, log logger) (*ssh.Client, error) {
	config, closeAgent, err := e.config()
	if err != nil {
		return nil, err
	}
	defer closeAgent()

	var client *ssh.Client
	done, _, err := retry.Until(ctx, retry.Acceptor{Accept: func(try int, _ time.Duration) (bool, any, error) {
		var failure error
		if client, failure = e.attempt(ctx, open, config); failure == nil {
			return true, nil, nil
		}
		if e.DialErrorLimit >= 0 && try+1 > e.DialErrorLimit {
			return false, nil, fmt.Errorf("after %d failed attempts: %w", try, failure)
		}
		log.status(fmt.Sprintf("Dial %d/%d failed: retrying", try+1, e.DialErrorLimit))
		return false, nil, nil
	}})
	if err != nil {
		return nil, err
	}
	if !done {
		return nil, ctx.Err()
	}
	return client, nil
}

// attempt opens one connection. The time limit covers the handshake too: a host that accepts and then stays
// silent would otherwise hold the update for ever.
func (e *endpoint) attempt(ctx context.Context, open opener, config *ssh.ClientConfig) (*ssh.Client, error) {
	if e.PerDialTimeout > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(e.PerDialTimeout)*time.Second)
		defer cancel()
		ctx = limited
	}
	transport, err := open(ctx, "tcp", e.address())
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { transport.Close() })
	defer stop()
	conn, channels, requests, err := ssh.NewClientConn(transport, e.address(), config)
	if err != nil {
		transport.Close()
		return nil, err
	}
	return ssh.NewClient(conn, channels, requests), nil
}

func (e *endpoint) config() (config *ssh.ClientConfig, closeAgent func(), err error) {
	config = &ssh.ClientConfig{User: e.User}
	closeAgent = func() {}
	if config.HostKeyCallback, config.HostKeyAlgorithms, err = e.hostKeyCheck(); err != nil {
		return nil, nil, err
	}
	if e.PrivateKey != "" {
		signer, err := e.privateKey()
		if err != nil {
			return nil, nil, fmt.Errorf("connection.privateKey: %w", err)
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if e.Password != "" {
		config.Auth = append(config.Auth, ssh.Password(e.Password), ssh.KeyboardInteractive(e.answer))
	}
	if socket := e.agentSocket(); socket != "" {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil, nil, fmt.Errorf("ssh agent: %w", err)
		}
		closeAgent = func() { conn.Close() }
		config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
	}
	return config, closeAgent, nil
}

// hostKeyCheck accepts exactly the pinned key, or any host where none is pinned (as the official plugin does).
// Asking for the pinned type only keeps a host with several keys from offering another one.
func (e *endpoint) hostKeyCheck() (ssh.HostKeyCallback, []string, error) {
	if e.HostKey == "" {
		return ssh.InsecureIgnoreHostKey(), nil, nil
	}
	pinned, _, _, _, err := ssh.ParseAuthorizedKey([]byte(e.HostKey))
	if err != nil {
		return nil, nil, fmt.Errorf("connection.hostKey: expected a line like \"ssh-ed25519 AAAA…\": %w", err)
	}
	algorithms := []string{pinned.Type()}
	if pinned.Type() == ssh.KeyAlgoRSA {
		algorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return func(_ string, _ net.Addr, offered ssh.PublicKey) error {
		if !bytes.Equal(offered.Marshal(), pinned.Marshal()) {
			return errors.New("ssh: host key mismatch")
		}
		return nil
	}, algorithms, nil
}

func (e *endpoint) privateKey() (ssh.Signer, error) {
	if e.PrivateKeyPassword != "" {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(e.PrivateKey), []byte(e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey([]byte(e.PrivateKey))
}

// answer gives the password to every question of a keyboard-interactive login.
func (e *endpoint) answer(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range answers {
		answers[i] = e.Password
	}
	return answers, nil
}

func (e *endpoint) agentSocket() string {
	if e.AgentSocketPath != "" {
		return e.AgentSocketPath
	}
	return os.Getenv("SSH_AUTH_SOCK")
}
