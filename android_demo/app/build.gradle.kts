plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

// Kept the same as `fer-mobile android bundle`, which needs Python; a test compares the two.
val bundleAssets = tasks.register<Copy>("bundleAssets") {
    into(layout.projectDirectory.dir("src/main/assets"))
    val repository = rootDir.parentFile
    into("models") {
        from(repository.resolve("models")) {
            include("*/*_int8.tflite", "*/*_int8.json")
            exclude("*_fer2013/**") // a copy for another protocol
            eachFile { path = "models/$name" }
            includeEmptyDirs = false
        }
    }
    into("detector") { from(repository.resolve("models/yunet/face_detection_yunet.tflite")) }
    into("licences") {
        from(repository.resolve("models/LICENSE")) { rename { "models.txt" } }
        from(repository.resolve("models/yunet/LICENSE")) { rename { "yunet.txt" } }
    }
    into("photos/affective-25") { from(repository.resolve("fer_mobile/photos/affective-25")) }
}
tasks.named("preBuild") { dependsOn(bundleAssets) }

android {
    namespace = "org.fermobile.gallery"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "org.fermobile.gallery"
        minSdk = libs.versions.minSdk.get().toInt()
        targetSdk = libs.versions.targetSdk.get().toInt()
        versionCode = libs.versions.appCode.get().toInt()
        versionName = libs.versions.app.get()
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
    }
    androidResources { noCompress += "tflite" } // so that a model can be mapped
    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
            // To try the shrunk app; a store wants a key of your own.
            signingConfig = signingConfigs.getByName("debug")
        }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    kotlinOptions {
        jvmTarget = "11"
        allWarningsAsErrors = true
    }
    packaging { resources.excludes += "META-INF/{AL2.0,LGPL2.1}" }
    // src/test runs under Robolectric with TensorFlow Lite loaded on the JVM, which
    // offline/verify.sh prepares; Gradle runs the tests on a device.
    lint { warningsAsErrors = false }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.bundles.core)
    implementation(libs.bundles.app)
    androidTestImplementation(libs.junit)
    androidTestImplementation(libs.bundles.instrumented)
}
