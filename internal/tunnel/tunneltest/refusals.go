package tunneltest

import (
	"fmt"
	"regexp"
)

// Codes of ngrok's errors that the edge itself gives.
const (
	codeMalformed = 105  // the authtoken's form
	codeUnknown   = 107  // the authtoken
	codeTaken     = 334  // the URL
	codeNoAnswer  = 3004 // the agent hung up on a request
	codeOffline   = 3200 // the URL
	codeNoToken   = 4018
)

var wellFormed = regexp.MustCompile(`^[0-9a-zA-Z_]{20,}$`)

// refusal is the text of an error as ngrok writes it: prose, a blank line, and
// the code. subject is the authtoken or the URL that the error is about; like
// ngrok's, the texts about an authtoken quote it.
func refusal(code int, subject string) string {
	var text string
	switch code {
	case codeMalformed:
		text = "The authtoken you specified does not look like a proper ngrok authtoken.\nYour authtoken: " + subject +
			"\nInstructions to install your authtoken are on your ngrok dashboard:\nhttps://dashboard.ngrok.com/get-started/your-authtoken"
	case codeUnknown:
		text = "The authtoken you specified is properly formed, but it is invalid.\nYour authtoken: " + subject +
			"\nThis usually happens when:\n    - You reset your authtoken\n    - Your authtoken was for a team account that you were removed from\n" +
			"\nGo to your ngrok dashboard and double check that your authtoken is correct:\nhttps://dashboard.ngrok.com/get-started/your-authtoken"
	case 108:
		text = "Your account is limited to 3 simultaneous ngrok agent sessions.\nYou can view your current agent sessions in the dashboard:\nhttps://dashboard.ngrok.com/agents"
	case 121:
		text = "Your ngrok agent is too old. Please update to a newer version."
	case codeTaken:
		text = "The endpoint '" + subject + "' is already online. Either\n1. stop your existing endpoint first, or\n" +
			"2. start both endpoints with `--pooling-enabled` to load balance between them."
	case 725:
		text = "This ngrok account has reached its bandwidth limit for the month. Log into https://dashboard.ngrok.com/billing to view your options."
	case 727:
		text = "This ngrok account has reached its HTTP requests limit for the month. Log into https://dashboard.ngrok.com/billing to view your options."
	case 734:
		text = "You have exceeded your limit of 4000 requests per minute. This limit will reset within 1 minute."
	case codeNoAnswer:
		text = "ngrok gateway error\nThe server returned an invalid or incomplete HTTP response."
	case codeOffline:
		text = "The endpoint " + subject + " is offline."
	case codeNoToken:
		text = "Usage of ngrok requires a verified account and authtoken.\n\nSign up for an account: https://dashboard.ngrok.com/signup\n" +
			"Install your authtoken: https://dashboard.ngrok.com/get-started/your-authtoken"
	case 18019:
		text = "This account does not have access to Endpoint pooling. Upgrade or switch to a pay-as-you-go plan for access."
	default:
		text = "ngrok refused this."
	}
	return fmt.Sprintf("%s\r\n\r\n%s\r\n", text, codeName(code))
}

// codeName is how ngrok writes a code.
func codeName(code int) string { return fmt.Sprintf("ERR_NGROK_%d", code) }
