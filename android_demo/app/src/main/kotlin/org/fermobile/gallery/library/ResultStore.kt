package org.fermobile.gallery.library

import android.content.ContentValues
import android.content.Context
import android.database.sqlite.SQLiteDatabase
import android.database.sqlite.SQLiteOpenHelper
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.fermobile.core.PhotoResult

/**
 * Results on the phone, by the pipeline's identity (which has the model's checksum) and the
 * photo's key: another model finds none and computes anew.
 */
class ResultStore(context: Context) {
    private val database = object : SQLiteOpenHelper(context, "results.db", null, VERSION) {
        override fun onCreate(db: SQLiteDatabase) = db.execSQL(
            "CREATE TABLE results (identity TEXT NOT NULL, photo TEXT NOT NULL, result TEXT NOT NULL, " +
                "PRIMARY KEY (identity, photo)) WITHOUT ROWID",
        )

        // Results can be computed again.
        override fun onUpgrade(db: SQLiteDatabase, oldVersion: Int, newVersion: Int) {
            db.execSQL("DROP TABLE IF EXISTS results")
            onCreate(db)
        }

        override fun onDowngrade(db: SQLiteDatabase, oldVersion: Int, newVersion: Int) =
            onUpgrade(db, oldVersion, newVersion)
    }

    /** Every stored result of a pipeline, by photo. */
    suspend fun all(identity: String): Map<String, PhotoResult> = withContext(Dispatchers.IO) {
        val columns = arrayOf("photo", "result")
        database.readableDatabase.query("results", columns, "identity = ?", arrayOf(identity), null, null, null)
            .use { rows ->
                buildMap { while (rows.moveToNext()) resultOf(rows.getString(1))?.let { put(rows.getString(0), it) } }
            }
    }

    suspend fun put(identity: String, results: Map<String, PhotoResult>) = withContext(Dispatchers.IO) {
        val db = database.writableDatabase
        db.beginTransaction()
        try {
            for ((photo, result) in results) {
                val row = ContentValues().apply {
                    put("identity", identity)
                    put("photo", photo)
                    put("result", textOf(result))
                }
                db.insertWithOnConflict("results", null, row, SQLiteDatabase.CONFLICT_REPLACE)
            }
            db.setTransactionSuccessful()
        } finally {
            db.endTransaction()
        }
    }

    fun close() = database.close()

    private companion object {
        const val VERSION = 1
    }
}
