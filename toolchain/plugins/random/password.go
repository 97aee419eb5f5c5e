package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"jtel-chat/toolchain/plugins/engine"

	"google.golang.org/protobuf/types/known/structpb"
)

const (
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	upperLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits       = "0123456789"
	specialSigns = "!@#$%&*()-_=+[]{}<>:?"
	allowed      = true // unless an input forbids them
)

// password holds the inputs of RandomPassword; nil is the default.
type password struct {
	Length          int            `json:"length"`
	Lower           *bool          `json:"lower"`
	Upper           *bool          `json:"upper"`
	Numeric         *bool          `json:"numeric"`
	Number          *bool          `json:"number"` // numeric's older name
	Special         *bool          `json:"special"`
	OverrideSpecial *string        `json:"overrideSpecial"`
	MinLower        int            `json:"minLower"`
	MinUpper        int            `json:"minUpper"`
	MinNumeric      int            `json:"minNumeric"`
	MinSpecial      int            `json:"minSpecial"`
	Keepers         map[string]any `json:"keepers"`
}

// class is one kind of characters: how many of it a password has at least, and whether the rest may be of it.
type class struct {
	characters string
	allowed    bool
	least      int
}

// parse reads and checks the inputs of a resource.
func parse(properties *structpb.Struct) (*password, error) {
	wanted := &password{}
	if err := engine.Decode(properties, wanted); err != nil {
		return nil, err
	}
	least := 0
	for _, each := range wanted.classes() {
		least += each.least
	}
	if wanted.Length < 1 || wanted.Length < least {
		return nil, fmt.Errorf("length: expected at least 1 and the sum of minLower, minUpper, minNumeric and minSpecial (%d), got %d",
			least, wanted.Length)
	}
	if wanted.Length > least && wanted.everyAllowed() == "" {
		return nil, errors.New("expected one of lower, upper, numeric and special to be true, got none")
	}
	return wanted, nil
}

func (p *password) numeric() bool { return orDefault(p.Numeric, orDefault(p.Number, allowed)) }

func (p *password) special() string {
	if p.OverrideSpecial != nil && *p.OverrideSpecial != "" {
		return *p.OverrideSpecial
	}
	return specialSigns
}

func (p *password) classes() []class {
	return []class{
		{lowerLetters, orDefault(p.Lower, allowed), p.MinLower},
		{upperLetters, orDefault(p.Upper, allowed), p.MinUpper},
		{digits, p.numeric(), p.MinNumeric},
		{p.special(), orDefault(p.Special, allowed), p.MinSpecial},
	}
}

func (p *password) everyAllowed() string {
	characters := ""
	for _, each := range p.classes() {
		if each.allowed {
			characters += each.characters
		}
	}
	return characters
}

// generate makes a password: each class's minimum, the rest from all that is allowed, in any order.
func (p *password) generate() string {
	var chosen []byte
	for _, each := range p.classes() {
		chosen = append(chosen, pick(each.characters, each.least)...)
	}
	chosen = append(chosen, pick(p.everyAllowed(), p.Length-len(chosen))...)
	for i := len(chosen) - 1; i > 0; i-- {
		j := below(i + 1)
		chosen[i], chosen[j] = chosen[j], chosen[i]
	}
	return string(chosen)
}

// describe completes a resource's state with the defaults, as the official plugin does.
func (p *password) describe(state *structpb.Struct) {
	for name, value := range map[string]any{
		"lower": orDefault(p.Lower, allowed), "upper": orDefault(p.Upper, allowed), "special": orDefault(p.Special, allowed),
		"numeric": p.numeric(), "number": p.numeric(),
		"minLower": p.MinLower, "minUpper": p.MinUpper, "minNumeric": p.MinNumeric, "minSpecial": p.MinSpecial,
	} {
		state.Fields[name], _ = structpb.NewValue(value)
	}
}

func orDefault[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

func pick(characters string, count int) []byte {
	picked := make([]byte, count)
	for i := range picked {
		picked[i] = characters[below(len(characters))]
	}
	return picked
}

// below is an even choice of 0 … limit-1.
func below(limit int) int {
	number, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return int(number.Int64())
}
