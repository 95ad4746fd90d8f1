module landline

go 1.26

require (
	github.com/alecthomas/kong v1.12.1 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.0 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/crypto v0.43.0 // indirect
)
