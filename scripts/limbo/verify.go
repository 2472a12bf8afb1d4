// Verifies the cases on its standard input, as JSON, with crypto/x509 and writes which of them it accepts.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
)

type testcase struct {
	Id   string `json:"id"`
	Name struct {
		Host string `json:"host"`
	} `json:"name"`
	Roots         []string `json:"roots"`
	Leaf          string   `json:"leaf"`
	Intermediates []string `json:"intermediates"`
}

func pool(certificates []string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, text := range certificates {
		certificate, err := read(text)
		if err != nil {
			return nil, err
		}
		pool.AddCert(certificate)
	}
	return pool, nil
}

func read(text string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	return x509.ParseCertificate(block.Bytes)
}

func verify(test testcase) error {
	leaf, err := read(test.Leaf)
	if err != nil {
		return err
	}
	roots, err := pool(test.Roots)
	if err != nil {
		return err
	}
	intermediates, err := pool(test.Intermediates)
	if err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: test.Name.Host, Roots: roots, Intermediates: intermediates})
	return err
}

func main() {
	var tests []testcase
	if err := json.NewDecoder(os.Stdin).Decode(&tests); err != nil {
		panic(err)
	}
	accepted := []string{}
	for _, test := range tests {
		if verify(test) == nil {
			accepted = append(accepted, test.Id)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(accepted); err != nil {
		panic(err)
	}
}
