package org.fermobile.gallery.ui

import android.app.Activity
import android.content.Intent
import android.net.Uri

/** Hands photos to an app that the user chooses. */
fun Activity.sharePhotos(photos: List<Uri>) {
    if (photos.isEmpty()) return
    val send = if (photos.size == 1) {
        Intent(Intent.ACTION_SEND).putExtra(Intent.EXTRA_STREAM, photos.single())
    } else {
        Intent(Intent.ACTION_SEND_MULTIPLE).putParcelableArrayListExtra(Intent.EXTRA_STREAM, ArrayList(photos))
    }
    startActivity(Intent.createChooser(send.setType("image/*").addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION), null))
}

/** Hands a text to an app that the user chooses. */
fun Activity.shareText(text: String, title: String) {
    val send = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text).putExtra(Intent.EXTRA_SUBJECT, title)
    startActivity(Intent.createChooser(send, null))
}
