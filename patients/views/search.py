from django.http import HttpRequest, HttpResponse
def search(request: HttpRequest, key: str = "") -> HttpResponse:
    return HttpResponse("soon")
