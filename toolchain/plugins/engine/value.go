package engine

import (
	"encoding/json"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// Unknown is how the engine writes a value that is not known before the update.
// (github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin.UnknownStringValue; importing it costs 20 MB.)
const Unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

// Secret wraps a value so that the engine encrypts it in the state and hides it in diffs.
func Secret(value *structpb.Value) *structpb.Value {
	return structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		sig.Key: structpb.NewStringValue(sig.Secret),
		"value": value,
	}})
}

func IsSecret(value *structpb.Value) bool {
	return value.GetStructValue().GetFields()[sig.Key].GetStringValue() == sig.Secret
}

// Reveal returns the value without its secret wrapper; wrappers further in stay.
func Reveal(value *structpb.Value) *structpb.Value {
	for IsSecret(value) {
		value = value.GetStructValue().GetFields()["value"]
	}
	return value
}

// revealAll returns the value without any secret wrapper.
func revealAll(value *structpb.Value) *structpb.Value {
	value = Reveal(value)
	switch kind := value.GetKind().(type) {
	case *structpb.Value_StructValue:
		return structpb.NewStructValue(revealFields(kind.StructValue))
	case *structpb.Value_ListValue:
		elements := make([]*structpb.Value, len(kind.ListValue.GetValues()))
		for i, element := range kind.ListValue.GetValues() {
			elements[i] = revealAll(element)
		}
		return structpb.NewListValue(&structpb.ListValue{Values: elements})
	default:
		return value
	}
}

func revealFields(properties *structpb.Struct) *structpb.Struct {
	fields := make(map[string]*structpb.Value, len(properties.GetFields()))
	for name, value := range properties.GetFields() {
		fields[name] = revealAll(value)
	}
	return &structpb.Struct{Fields: fields}
}

// HasUnknown reports whether any part of the value is known only during the update.
func HasUnknown(value *structpb.Value) bool {
	switch kind := value.GetKind().(type) {
	case *structpb.Value_StringValue:
		return kind.StringValue == Unknown
	case *structpb.Value_StructValue:
		for _, field := range kind.StructValue.GetFields() {
			if HasUnknown(field) {
				return true
			}
		}
	case *structpb.Value_ListValue:
		for _, element := range kind.ListValue.GetValues() {
			if HasUnknown(element) {
				return true
			}
		}
	}
	return false
}

// Decode fills a Go struct from properties; a property that it does not know is an error.
func Decode(properties *structpb.Struct, into any) error {
	text, err := protojson.Marshal(revealFields(properties))
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func Clone(properties *structpb.Struct) *structpb.Struct {
	if properties == nil {
		return &structpb.Struct{Fields: map[string]*structpb.Value{}}
	}
	copied := proto.Clone(properties).(*structpb.Struct)
	if copied.Fields == nil {
		copied.Fields = map[string]*structpb.Value{}
	}
	return copied
}
