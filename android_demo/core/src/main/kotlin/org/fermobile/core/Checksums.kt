package org.fermobile.core

internal fun hex(bytes: ByteArray): String = bytes.joinToString("") { "%02x".format(it) }
