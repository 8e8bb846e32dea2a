package server

import "github.com/mark3labs/mcp-go/mcp"

// kind is a set of kinds of JSON values.
type kind uint8

const (
	object kind = 1 << iota
	array
	text
	number
	integer // a number of digits alone, that everyone's JSON keeps
	boolean
	null
)

// String says what a value of the kind must be. Null goes without saying.
func (k kind) String() string {
	switch k &^ null {
	case object:
		return "an object"
	case array:
		return "an array"
	case text:
		return "a string"
	case boolean:
		return "true or false"
	case integer:
		return "an integer"
	case text | integer:
		return "a string or an integer"
	default:
		return "another kind of value"
	}
}

// shape is what a JSON value must be.
type shape struct {
	kind   kind    // one of these; if 0, anything
	fields []field // members of an object that are known; others may be there, too
	each   *shape  // what elements of an array, and members that are not known, must be; nil is anything
	part   part    // which part of a message this is
}

type field struct {
	name string
	shape
}

// part is a part of a message that is kept when it is read.
type part int

const (
	noPart part = iota
	partVersion
	partID
	partMethod
	partResult
	partError
	partName
	partURI
	partArguments
	partRef
	partRefType
	partArgument
	partNotifications
	partSubscriptions
	numParts
)

// Null stands for "absent" nearly everywhere, since many clients write it.
var (
	aString       = shape{kind: text | null}
	aBoolean      = shape{kind: boolean | null}
	anObject      = shape{kind: object | null}
	stringsByName = shape{kind: object | null, each: &aString}
)

// messageShape is the shape of all messages. The members of params are called
// alike and mean the same in all methods, so one shape holds for all. It is
// what mcp-go decodes into Go's types, whose own errors are no use to a
// caller.
var messageShape = shape{kind: object, fields: []field{
	{"jsonrpc", shape{part: partVersion}},
	{"id", shape{kind: text | integer | null, part: partID}},
	{"method", shape{kind: text, part: partMethod}},
	{"params", paramsShape},
	{"result", shape{part: partResult}},
	{"error", shape{part: partError}},
}}

var paramsShape = shape{kind: object | null, fields: []field{
	{"_meta", shape{kind: object | null, fields: []field{
		{mcp.MetaKeyProtocolVersion, aString},
		{mcp.MetaKeyClientInfo, implementationShape},
		{mcp.MetaKeyClientCapabilities, capabilitiesShape},
		{mcp.MetaKeyLogLevel, aString},
	}}},
	{"name", shape{kind: text | null, part: partName}},
	{"arguments", shape{part: partArguments}}, // see readArguments
	{"uri", shape{kind: text | null, part: partURI}},
	{"cursor", aString},
	{"ref", shape{kind: object | null, part: partRef, fields: []field{
		{"type", shape{kind: text, part: partRefType}},
		{"name", aString},
		{"title", aString},
		{"uri", aString},
	}}},
	{"argument", shape{kind: object | null, part: partArgument, fields: []field{
		{"name", aString},
		{"value", aString},
	}}},
	{"notifications", shape{kind: object | null, part: partNotifications, fields: []field{
		{"toolsListChanged", aBoolean},
		{"promptsListChanged", aBoolean},
		{"resourcesListChanged", aBoolean},
		{"resourceSubscriptions", shape{kind: array | null, part: partSubscriptions, each: &aString}},
	}}},
	{"context", shape{kind: object | null, fields: []field{{"arguments", stringsByName}}}},
	{"protocolVersion", aString},
	{"clientInfo", implementationShape},
	{"capabilities", capabilitiesShape},
	{"level", aString},
	{"inputResponses", anObject},
	{"requestState", aString},
	{"task", shape{kind: object | null, fields: []field{{"ttl", shape{kind: integer | null}}}}},
	{"taskId", aString},
}}

var implementationShape = shape{kind: object | null, fields: []field{
	{"name", aString},
	{"version", aString},
	{"title", aString},
	{"description", aString},
	{"websiteUrl", aString},
	{"icons", shape{kind: array | null, each: &shape{kind: object | null, fields: []field{
		{"src", aString},
		{"mimeType", aString},
		{"theme", aString},
		{"sizes", shape{kind: array | null, each: &aString}},
	}}}},
}}

var capabilitiesShape = shape{kind: object | null, fields: []field{
	{"extensions", anObject},
	{"experimental", anObject},
	{"roots", shape{kind: object | null, fields: []field{{"listChanged", aBoolean}}}},
	{"sampling", objects("context", "tools")},
	{"elicitation", objects("form", "url")},
	{"tasks", shape{kind: object | null, fields: []field{
		{"list", anObject},
		{"cancel", anObject},
		{"requests", shape{kind: object | null, fields: []field{
			{"tools", objects("call")},
			{"sampling", objects("createMessage")},
			{"elicitation", objects("create")},
		}}},
	}}},
}}

// objects is the shape of an object whose members of those names are objects.
func objects(names ...string) shape {
	s := anObject
	for _, name := range names {
		s.fields = append(s.fields, field{name, anObject})
	}
	return s
}
