module grantd.example/grantdtest

go 1.24
