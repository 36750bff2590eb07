// Package define builds workflows in Go code and renders them as YAML text of the Mistral v2
// language, for [github.com/autan-dev/autan/sdk-go.Workflows.Create]:
//
//	source, err := define.Document(
//		define.Workflow("ship").
//			Input("order_id").
//			Output("label", "<% $.label %>").
//			Task("charge", define.Action("payments.charge").
//				Input("order", "<% $.order_id %>").
//				Retry(define.Retry{Count: 3, Delay: 2 * time.Second}).
//				OnSuccess("print")).
//			Task("print", define.Action("labels.print").
//				Publish("label", "<% task().result.url %>")),
//	).Source()
//
// Expressions are strings of the language, "<% … %>" for YAQL and "{{ … }}" for Jinja. Values are
// anything that encodes to JSON; where they become text, quoting is taken care of, so a string
// stays a string. The package renders and checks only what it needs to; the server checks the rest,
// see Workflows.Validate.
package define
