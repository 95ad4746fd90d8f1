// Package bitio reads the bit fields of codec headers. It is for the leaves of media alone, imports
// nothing, starts no goroutine, and a Reader is for one caller at a time.
package bitio
