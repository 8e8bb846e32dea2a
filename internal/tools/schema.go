package tools

import (
	"bytes"
	"encoding/json"
)

// schema is the part of JSON Schema that the arguments need.
type schema struct {
	Type        string     `json:"type"`
	Description string     `json:"description,omitempty"`
	Enum        []string   `json:"enum,omitempty"`
	MinLength   int        `json:"minLength,omitempty"`
	MaxLength   int        `json:"maxLength,omitempty"`
	Minimum     *float64   `json:"minimum,omitempty"`
	Maximum     *float64   `json:"maximum,omitempty"`
	Properties  properties `json:"properties,omitempty"`
	Required    []string   `json:"required,omitempty"`
	Additional  *bool      `json:"additionalProperties,omitempty"`
	MinProps    int        `json:"minProperties,omitempty"`
	MaxProps    int        `json:"maxProperties,omitempty"`
}

// properties keep the order in which the parameters were written: models read
// from the top.
type properties []property

type property struct {
	name   string
	schema schema
}

func (ps properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range ps {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.schema)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// object is the schema of an object with these properties and no others.
func object(description string, ps properties, required []string) schema {
	return schema{Type: "object", Description: description, Properties: ps, Required: required, Additional: new(false)}
}

// schema is the JSON Schema of the arguments that decode accepts.
func (ps params[In]) schema() json.RawMessage {
	var list properties
	var required []string
	for _, p := range ps.list {
		list = append(list, property{p.name, p.schema()})
		if p.required {
			required = append(required, p.name)
		}
	}
	arguments := object("", list, required)
	if ps.exactlyOne {
		arguments.MinProps, arguments.MaxProps = 1, 1
	}
	b, err := json.Marshal(arguments)
	if err != nil {
		panic(err) // it holds nothing but strings and numbers
	}
	return b
}

func (p *param[In]) schema() schema {
	switch {
	case p.oneOf != nil:
		return schema{Type: "string", Description: p.description, Enum: p.oneOf}
	case p.text != nil:
		s := schema{Type: "string", Description: p.description, MaxLength: p.maxLength}
		if p.required {
			s.MinLength = 1
		}
		return s
	case p.integer != nil:
		return schema{Type: "integer", Description: p.description, Minimum: new(float64(p.minimum)), Maximum: new(float64(p.maximum))}
	case p.boolean != nil:
		return schema{Type: "boolean", Description: p.description}
	default:
		var members properties
		var required []string
		for _, key := range pointKeys {
			members = append(members, property{key.name, schema{Type: "number", Minimum: new(-key.bound), Maximum: new(key.bound)}})
			required = append(required, key.name)
		}
		return object(p.description, members, required)
	}
}
