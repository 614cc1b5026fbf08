package org.fermobile.gallery.ui

import android.graphics.Typeface
import android.view.Gravity
import android.view.LayoutInflater
import android.view.ViewGroup
import android.widget.LinearLayout
import android.widget.TextView
import com.google.android.material.textview.MaterialTextView
import org.fermobile.gallery.R

/** Adds a row of cells: the first one at the start, the others at the end; TalkBack reads it as one. */
fun LinearLayout.addRow(cells: List<String>, bold: Boolean = false) {
    val row = LayoutInflater.from(context).inflate(R.layout.stage_row, this, false) as LinearLayout
    for ((column, text) in cells.withIndex()) {
        val cell = MaterialTextView(context).apply {
            this.text = text
            gravity = if (column == 0) Gravity.START else Gravity.END
            if (bold) setTypeface(typeface, Typeface.BOLD)
        }
        val share = if (column == 0) 3f else 2f
        row.addView(cell, LinearLayout.LayoutParams(0, ViewGroup.LayoutParams.WRAP_CONTENT, share))
    }
    row.contentDescription = cells.joinToString()
    row.isFocusable = true
    addView(row)
}

/** Adds a line of text in the style of headings. */
fun LinearLayout.addHeading(text: String) {
    val heading = LayoutInflater.from(context).inflate(R.layout.heading, this, false) as TextView
    heading.text = text
    addView(heading)
}
